// Real sockets for every outcome; no address outside this machine is needed.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

const patience = 300 * time.Millisecond

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener
}

func TestConnectToAProbeReportsOurAddressAsTheServerSawIt(t *testing.T) {
	server := httptest.NewServer(newHandler())
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	answer := connect(context.Background(), "localhost:"+port, patience)
	if answer.Outcome != connected || answer.ClientAddress != "127.0.0.1" || answer.Address != "127.0.0.1:"+port {
		t.Fatalf("%+v", answer)
	}
}

func TestConnectToSomethingElseIsConnectedWithoutClientAddress(t *testing.T) {
	behaviours := map[string]func(net.Conn){
		"closes": func(peer net.Conn) { _ = peer.Close() },
		"silent": func(net.Conn) {},
		"speaks": func(peer net.Conn) { _, _ = fmt.Fprint(peer, "-ERR unknown command\r\n"); _ = peer.Close() },
		"page": func(peer net.Conn) {
			_, _ = fmt.Fprint(peer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>")
			_ = peer.Close()
		},
		"error": func(peer net.Conn) {
			_, _ = fmt.Fprint(peer, "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n10.2.0.1")
			_ = peer.Close()
		},
	}
	for name, behaviour := range behaviours {
		t.Run(name, func(t *testing.T) {
			listener := listen(t)
			go func() {
				for {
					peer, err := listener.Accept()
					if err != nil {
						return
					}
					defer peer.Close()
					behaviour(peer)
				}
			}()
			answer := connect(context.Background(), listener.Addr().String(), patience)
			if answer.Outcome != connected || answer.ClientAddress != "" || answer.Reason != "" {
				t.Fatalf("%+v", answer)
			}
		})
	}
}

func TestConnectToAClosedPortIsBlockedAsRefused(t *testing.T) {
	listener := listen(t)
	_ = listener.Close()
	answer := connect(context.Background(), listener.Addr().String(), patience)
	if answer.Outcome != blocked || answer.Reason != "refused" {
		t.Fatalf("%+v", answer)
	}
}

func TestConnectIntoSilenceIsBlockedAsTimeout(t *testing.T) {
	answer := connect(context.Background(), silentAddress(t), patience)
	if answer.Outcome != blocked || answer.Reason != "timeout" {
		t.Fatalf("%+v", answer)
	}
}

// silentAddress is a socket whose queue of connections is full: the kernel drops further SYNs, as a policy would.
func silentAddress(t *testing.T) string {
	t.Helper()
	descriptor, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(descriptor) })
	if err := syscall.Bind(descriptor, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(descriptor, 0); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(descriptor)
	if err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 8 {
		filler, err := net.DialTimeout("tcp", address, patience)
		if err != nil {
			return address // full
		}
		t.Cleanup(func() { _ = filler.Close() })
	}
	t.Fatal("the queue of connections never filled")
	return ""
}

func TestWhatCannotBeTriedIsAnErrorAndNeverBlocked(t *testing.T) {
	for _, target := range []string{
		"no-such-name.invalid:80", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:http", "",
	} {
		if answer := connect(context.Background(), target, patience); answer.Outcome != failed || answer.Reason == "" {
			t.Errorf("%+v", answer)
		}
	}
}

func TestInterruptedIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if answer := connect(ctx, "127.0.0.1:1", patience); answer.Outcome != failed {
		t.Fatalf("%+v", answer)
	}
}

func TestClassify(t *testing.T) {
	for _, example := range []struct {
		err             error
		outcome, reason string
	}{
		{syscall.EHOSTUNREACH, blocked, "host unreachable"},
		{syscall.ENETUNREACH, blocked, "network unreachable"},
		{syscall.ETIMEDOUT, blocked, "timeout"},
		{syscall.EMFILE, failed, syscall.EMFILE.Error()},
		{syscall.EPERM, failed, syscall.EPERM.Error()},
		{errors.New("other"), failed, "other"},
	} {
		wrapped := fmt.Errorf("%w", example.err)
		if outcome, reason := classify(wrapped); outcome != example.outcome || reason != example.reason {
			t.Errorf("%v: %s, %s", example.err, outcome, reason)
		}
	}
}

func TestConnectAllIsConcurrentAndKeepsTheOrder(t *testing.T) {
	silent := silentAddress(t)
	targets := make([]string, 100)
	for index := range targets {
		targets[index] = silent
	}
	targets[50] = "bad"
	start := time.Now()
	answers := connectAll(context.Background(), targets, patience)
	if elapsed := time.Since(start); elapsed > 10*patience {
		t.Errorf("100 targets took %s", elapsed)
	}
	for index, answer := range answers {
		if answer.Target != targets[index] || (answer.Outcome == blocked) != (index != 50) {
			t.Errorf("%d: %+v", index, answer)
		}
	}
}

func TestConnectionAsALine(t *testing.T) {
	line := connection{Target: "a:1", Outcome: connected, ClientAddress: "10.2.0.9"}.String()
	if line != "connected a:1 as 10.2.0.9" {
		t.Error(line)
	}
	if line := (connection{Target: "a:1", Outcome: blocked, Reason: "timeout"}).String(); !strings.HasSuffix(line, "a:1: timeout") {
		t.Error(line)
	}
}
