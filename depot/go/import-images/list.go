package main

import (
	"fmt"
	"strings"
)

// A step is a line of the list: an image and the archive that it comes from, or the notification of systemd.
type step struct {
	image, archive string
	ready          bool
}

// parse reads a list; it refuses lines that are neither an image with its archive nor the notification.
func parse(text string) ([]step, error) {
	var steps []step
	for number, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 1 && words[0] == "----":
			steps = append(steps, step{ready: true})
		case len(words) == 2:
			steps = append(steps, step{image: words[0], archive: words[1]})
		default:
			return nil, fmt.Errorf("line %d is no image with its archive: %q", number+1, line)
		}
	}
	return steps, nil
}
