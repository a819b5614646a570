// Real Redis servers for the tests: a master and a slave, as in the cluster.
package main

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"testing"
	"time"
)

// startRedis runs a server on a free port with the given settings and gives its address and a way to stop it.
func startRedis(t *testing.T, settings ...string) (address string, stop func()) {
	t.Helper()
	// Debian's redis-tools carries the server too, under another name, and starts no service when it is installed.
	program, err := exec.LookPath("redis-server")
	if err != nil {
		program, err = exec.LookPath("redis-check-rdb")
	}
	if err != nil {
		t.Fatal("these tests need a real Redis: apt-get install redis-tools")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = listener.Addr().String()
	port := listener.Addr().(*net.TCPAddr).Port
	_ = listener.Close()
	arguments := []string{"redis-server", "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir()}
	command := &exec.Cmd{Path: program, Args: append(arguments, settings...)}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() { _ = command.Process.Kill(); _ = command.Wait() }
	t.Cleanup(stop)
	client := newClient(address)
	defer client.Close()
	eventually(t, address+" answers", func() bool { return client.Ping(context.Background()).Err() == nil })
	return address, stop
}

// startPair runs a master and a slave that has caught up with it.
func startPair(t *testing.T) (store *store, stopMaster, stopSlave func()) {
	t.Helper()
	master, stopMaster := startRedis(t, "--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0")
	host, port, _ := net.SplitHostPort(master)
	slave, stopSlave := startRedis(t, "--replicaof", host+" "+port)
	store = newStore(master, slave)
	t.Cleanup(func() { _, _ = store.master.Close(), store.slave.Close() })
	ctx := context.Background()
	if err := store.Set(ctx, "caught-up", "yes"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the slave has caught up", func() bool {
		value, err := store.Get(ctx, "caught-up")
		return err == nil && value == "yes"
	})
	return store, stopMaster, stopSlave
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 15 s: %s", what)
		}
	}
}
