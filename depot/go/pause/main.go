// Program pause holds a pod's namespaces open: it sleeps, and reaps the orphans that a shared PID namespace hands it.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGTERM, syscall.SIGINT)
	reap() // a child may have ended before the handler was there
	for received := range signals {
		if received != syscall.SIGCHLD {
			return // the kernel gives PID 1 no default action: leaving is our own business
		}
		reap()
	}
}

// reap collects every child that has ended. Signals coalesce, so one SIGCHLD may stand for many children.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if pid <= 0 || err != nil {
			return
		}
	}
}
