// The program under test is built and run for real: what matters is how it behaves as a process.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestPauseReapsAChildAndThenEndsWithZeroOnSIGTERM(t *testing.T) {
	program := filepath.Join(t.TempDir(), "pause")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, output)
	}
	// The shell starts a child that ends later, then becomes pause: pause inherits a child it never started.
	command := exec.Command("/bin/sh", "-c", `sleep 0.3 & exec "$0"`, program)
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill() })

	awaitReaped(t, command.Process.Pid) // which also says that the signal handlers are in place
	if err := command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Fatalf("pause ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("pause did not end on SIGTERM")
	}
}

// awaitReaped waits until the process has had a child and has none any more, zombies included.
func awaitReaped(t *testing.T, pid int) {
	t.Helper()
	path := fmt.Sprintf("/proc/%d/task/%[1]d/children", pid)
	seen := false
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		children, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		alone := strings.TrimSpace(string(children)) == ""
		if seen && alone {
			return
		}
		seen = seen || !alone
	}
	t.Fatalf("the child was not reaped (seen: %t)", seen)
}
