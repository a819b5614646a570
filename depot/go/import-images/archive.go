package main

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Documents are smaller than this, in bytes; what is larger is a layer.
const largestDocument = 1 << 20

// An archive is what an OCI archive says of its image, without the content of the layers.
type archive struct {
	target    ocispec.Descriptor // of the manifest
	manifest  ocispec.Manifest
	config    ocispec.Image
	documents map[digest.Digest][]byte
}

// read reads the documents of an archive with one image, and checks their digests; layers are skipped.
func read(file io.ReadSeeker) (*archive, error) {
	files, err := documents(file)
	if err != nil {
		return nil, err
	}
	var index ocispec.Index
	if err := json.Unmarshal(files["index.json"], &index); err != nil {
		return nil, fmt.Errorf("index.json: %w", err)
	}
	if len(index.Manifests) != 1 {
		return nil, fmt.Errorf("index.json names %d images instead of one", len(index.Manifests))
	}
	found := &archive{target: index.Manifests[0], documents: map[digest.Digest][]byte{}}
	if err := found.document(files, found.target.Digest, &found.manifest); err != nil {
		return nil, err
	}
	if err := found.document(files, found.manifest.Config.Digest, &found.config); err != nil {
		return nil, err
	}
	if layers, ids := len(found.manifest.Layers), len(found.config.RootFS.DiffIDs); layers != ids {
		return nil, fmt.Errorf("%d layers, but the configuration knows %d", layers, ids)
	}
	for _, id := range found.config.RootFS.DiffIDs {
		if err := id.Validate(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// documents returns the content of all small files of a tar archive by their names.
func documents(file io.ReadSeeker) (map[string][]byte, error) {
	files := map[string][]byte{}
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		if header.Typeflag == tar.TypeReg && header.Size < largestDocument {
			if files[path.Clean(header.Name)], err = io.ReadAll(reader); err != nil {
				return nil, err
			}
		}
	}
}

// document parses the document with this digest, and keeps its bytes.
func (a *archive) document(files map[string][]byte, name digest.Digest, into any) error {
	if err := name.Validate(); err != nil {
		return err
	}
	content := files[path.Join("blobs", name.Algorithm().String(), name.Encoded())]
	if found := name.Algorithm().FromBytes(content); found != name {
		return fmt.Errorf("the archive lacks %s, or it is damaged", name)
	}
	a.documents[name] = content
	return json.Unmarshal(content, into)
}

// unpacked returns whether all layers lie unpacked in the directory; never if it is empty.
func (a *archive) unpacked(trees string) bool {
	if trees == "" {
		return false
	}
	for _, id := range a.config.RootFS.DiffIDs {
		if state, err := os.Stat(tree(trees, id)); err != nil || !state.IsDir() {
			return false
		}
	}
	return true
}

// tree returns the directory with the files of an unpacked layer.
func tree(trees string, id digest.Digest) string {
	return filepath.Join(trees, id.Encoded(), "files")
}
