// Brings the images of a list into containerd: import-images --layers DIRECTORY LIST
//
// A line of the list names an image and its OCI archive. The line ---- notifies systemd: the images above it are there.
// Images that containerd has are left alone. Of those whose layers lie unpacked in DIRECTORY, containerd gets snapshots
// that are links to these trees: nothing is copied and nothing is hashed. All others are imported from their archives.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
	"github.com/coreos/go-systemd/v22/daemon"
)

const snapshotter = "overlayfs"

func main() {
	address := flag.String("address", "/run/containerd/containerd.sock", "containerd's socket")
	namespace := flag.String("namespace", "k8s.io", "containerd's namespace")
	layers := flag.String("layers", "", "directory of unpacked layers, each named by its digest; none if empty")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: import-images [--layers DIRECTORY] LIST")
		os.Exit(2)
	}
	ctx := namespaces.WithNamespace(context.Background(), *namespace)
	if err := run(ctx, *address, *layers, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "import-images:", err)
		os.Exit(1)
	}
}

// run brings all images of the list in file into the containerd that listens on address.
func run(ctx context.Context, address, layers, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	steps, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	client, err := containerd.New(address)
	if err != nil {
		return err
	}
	defer client.Close()
	trees := usable(layers)
	for _, step := range steps {
		if step.ready {
			if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
				return err
			}
			continue
		}
		if err := bring(ctx, client, step, trees); err != nil {
			return fmt.Errorf("%s from %s: %w", step.image, step.archive, err)
		}
	}
	return nil
}

// bring links or imports one image, unless containerd has it.
func bring(ctx context.Context, client *containerd.Client, step step, trees string) error {
	if _, err := client.ImageService().Get(ctx, step.image); err == nil || !errdefs.IsNotFound(err) {
		return err
	}
	start, how := time.Now(), "linked"
	file, err := os.Open(step.archive)
	if err != nil {
		return err
	}
	defer file.Close()
	// Without a lease, containerd's garbage collection would remove what no image names yet.
	ctx, done, err := client.WithLease(ctx)
	if err != nil {
		return err
	}
	defer done(ctx)
	archive, err := read(file)
	if err != nil {
		return err
	}
	if archive.unpacked(trees) {
		err = link(ctx, client, step.image, archive, trees)
	} else {
		how = "imported"
		err = unpack(ctx, client, step.archive)
	}
	if err == nil {
		fmt.Printf("%s %s in %.2f s\n", how, step.image, time.Since(start).Seconds())
	}
	return err
}

// unpack imports all of an archive, as ctr does.
func unpack(ctx context.Context, client *containerd.Client, archive string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	found, err := client.Import(ctx, file)
	if err != nil {
		return err
	}
	for _, image := range found {
		if err := containerd.NewImage(client, image).Unpack(ctx, snapshotter); err != nil {
			return err
		}
	}
	return nil
}
