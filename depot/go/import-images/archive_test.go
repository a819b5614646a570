package main

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

const layer = "the content of a layer"

// written returns an OCI archive of an image with one layer; change may alter a file's content before it is written.
func written(t *testing.T, change func(name string, content []byte) []byte) *bytes.Reader {
	t.Helper()
	var names []string
	blobs := map[string][]byte{}
	add := func(content []byte) digest.Digest {
		id := digest.FromBytes(content)
		name := "blobs/sha256/" + id.Encoded()
		names, blobs[name] = append(names, name), content
		return id
	}
	document := func(content any) []byte {
		text, err := json.Marshal(content)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	type object = map[string]any
	id := add([]byte(layer))
	config := add(document(object{"rootfs": object{"type": "layers", "diff_ids": []digest.Digest{id}}}))
	manifest := add(document(object{"config": object{"digest": config}, "layers": []object{{"digest": id}}}))
	names = append(names, "index.json")
	blobs["index.json"] = document(object{"manifests": []object{{"digest": manifest}}})
	var file bytes.Buffer
	writer := tar.NewWriter(&file)
	for _, name := range names {
		content := change(name, blobs[name])
		if err := writer.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := writer.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(file.Bytes())
}

func unchanged(_ string, content []byte) []byte { return content }

func TestArchiveKnowsItsImageAndLayers(t *testing.T) {
	found, err := read(written(t, unchanged))
	if err != nil {
		t.Fatal(err)
	}
	if ids := found.config.RootFS.DiffIDs; len(ids) != 1 || ids[0] != digest.FromString(layer) {
		t.Errorf("the layers are %v", ids)
	}
	for _, id := range []digest.Digest{found.target.Digest, found.manifest.Config.Digest} {
		if digest.FromBytes(found.documents[id]) != id {
			t.Errorf("the bytes of %s are not kept", id)
		}
	}
}

func TestDamagedArchiveIsRefused(t *testing.T) {
	_, err := read(written(t, func(name string, content []byte) []byte {
		return bytes.Replace(content, []byte(`"layers"`), []byte(`"LAYERS"`), 1)
	}))
	if err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("instead of a damaged archive: %v", err)
	}
}

func TestArchiveOfTwoImagesIsRefused(t *testing.T) {
	_, err := read(written(t, func(name string, content []byte) []byte {
		if name != "index.json" {
			return content
		}
		return []byte(`{"manifests": [{}, {}]}`)
	}))
	if err == nil || !strings.Contains(err.Error(), "2 images") {
		t.Errorf("instead of two images: %v", err)
	}
}

func TestImageIsUnpackedIfAllItsLayersAre(t *testing.T) {
	found, err := read(written(t, unchanged))
	if err != nil {
		t.Fatal(err)
	}
	trees := t.TempDir()
	if found.unpacked(trees) || found.unpacked("") {
		t.Error("unpacked without a tree")
	}
	if err := os.MkdirAll(filepath.Join(trees, digest.FromString(layer).Encoded(), "files"), 0o755); err != nil {
		t.Fatal(err)
	}
	if !found.unpacked(trees) {
		t.Error("not unpacked, although the layer's tree is there")
	}
}

func TestListHasImagesAndTheNotification(t *testing.T) {
	steps, err := parse("example/pause:1 /depot/pause.tar\n----\nexample/redis:2 /depot/redis.tar\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []step{
		{image: "example/pause:1", archive: "/depot/pause.tar"},
		{ready: true},
		{image: "example/redis:2", archive: "/depot/redis.tar"},
	}
	if fmt.Sprint(steps) != fmt.Sprint(want) {
		t.Errorf("%v instead of %v", steps, want)
	}
	if _, err := parse("example/pause:1\n"); err == nil {
		t.Error("an image without archive is accepted")
	}
}
