package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// usable returns the directory of unpacked layers if overlayfs takes a tree there as its lower one, else nothing: some
// file systems that a machine shares with its host cannot be used like that. It asks the kernel by a mount.
func usable(trees string) string {
	if trees == "" {
		return ""
	}
	if err := tryOverlay(trees); err != nil {
		fmt.Printf("importing all images: layers in %s cannot be linked: %v\n", trees, err)
		return ""
	}
	return trees
}

// tryOverlay mounts an overlay on the directory, with its upper tree beside containerd's, and unmounts it.
func tryOverlay(lower string) error {
	if err := os.MkdirAll("/var/lib/containerd", 0o711); err != nil {
		return err
	}
	work, err := os.MkdirTemp("/var/lib/containerd", "import-images-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	for _, name := range []string{"upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(work, name), 0o755); err != nil {
			return err
		}
	}
	merged := filepath.Join(work, "merged")
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower, work, work)
	if err := unix.Mount("overlay", merged, "overlay", 0, options); err != nil {
		return err
	}
	return unix.Unmount(merged, unix.MNT_DETACH)
}

// link makes an image of layers that lie unpacked in trees: snapshots that are links to them, the documents, the name.
//
// Layers are not part of the content store then, as with containerd's own discard_unpacked_layers: containers start from
// snapshots. Such an image cannot be pushed or exported.
func link(ctx context.Context, client *containerd.Client, name string, found *archive, trees string) error {
	var chain []digest.Digest
	service := client.SnapshotService(snapshotter)
	for number, id := range found.config.RootFS.DiffIDs {
		parent := identity.ChainID(chain)
		chain = append(chain, id)
		if err := snapshot(ctx, service, identity.ChainID(chain), parent, id, trees); err != nil {
			return fmt.Errorf("layer %d: %w", number, err)
		}
	}
	// Containerd's garbage collection keeps what an image leads to: its manifest, the configuration, the snapshots.
	kept := map[digest.Digest]map[string]string{
		found.target.Digest: {"containerd.io/gc.ref.content.config": found.manifest.Config.Digest.String()},
		found.manifest.Config.Digest: {
			"containerd.io/gc.ref.snapshot." + snapshotter: identity.ChainID(chain).String(),
		},
	}
	for _, document := range []ocispec.Descriptor{found.manifest.Config, found.target} {
		text := bytes.NewReader(found.documents[document.Digest])
		labels := content.WithLabels(kept[document.Digest])
		if err := content.WriteBlob(ctx, client.ContentStore(), document.Digest.String(), text, document, labels); err != nil {
			return err
		}
	}
	_, err := client.ImageService().Create(ctx, images.Image{Name: name, Target: found.target})
	return err
}

// snapshot makes a snapshot whose files are a link to an unpacked layer; nothing if it is there.
func snapshot(
	ctx context.Context, service snapshots.Snapshotter, chain, parent, id digest.Digest, trees string,
) error {
	if _, err := service.Stat(ctx, chain.String()); err == nil || !errdefs.IsNotFound(err) {
		return err
	}
	key := "link-" + chain.String()
	// What an interrupted attempt has left.
	if err := service.Remove(ctx, key); err != nil && !errdefs.IsNotFound(err) {
		return err
	}
	mounts, err := service.Prepare(ctx, key, parent.String())
	if err != nil {
		return err
	}
	files, err := writable(mounts)
	if err != nil {
		return err
	}
	if err := os.Remove(files); err != nil {
		return err
	}
	if err := os.Symlink(tree(trees, id), files); err != nil {
		return err
	}
	return service.Commit(ctx, chain.String(), key)
}

// writable returns the directory that receives a snapshot's own files: the source of a bind mount, or the upper tree.
func writable(mounts []mount.Mount) (string, error) {
	for _, each := range mounts {
		if each.Type == "bind" {
			return each.Source, nil
		}
		for _, option := range each.Options {
			if upper, is := strings.CutPrefix(option, "upperdir="); is {
				return upper, nil
			}
		}
	}
	return "", fmt.Errorf("no directory for files in %v", mounts)
}
