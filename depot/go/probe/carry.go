// Carrying: bytes that fill many packets, there and back, and the largest packet that the way takes.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	usualBytes   = 64 << 10
	mostBytes    = 16 << 20
	carryTimeout = 5 * time.Second // lost packets are sent again
)

// cargo is the answer for one target, which has to be a probe.
type cargo struct {
	Target  string `json:"target"`             // as asked: host:port
	Outcome string `json:"outcome"`            // connected: all bytes came back; blocked; or error
	PathMTU int    `json:"path_mtu,omitempty"` // bytes of the largest packet that the kernel sends this way, headers included
	Reason  string `json:"reason,omitempty"`   // why the bytes did not come back
}

func (c cargo) String() string {
	line := c.Outcome + " " + c.Target
	if c.PathMTU != 0 {
		line += fmt.Sprintf(" in packets of up to %d bytes", c.PathMTU)
	}
	if c.Reason != "" {
		line += ": " + c.Reason
	}
	return line
}

// carryAll sends size bytes to every target at the same time and answers in the order of the targets.
func carryAll(ctx context.Context, targets []string, size int, timeout time.Duration) []cargo {
	return atOnce(targets, func(target string) cargo { return carry(ctx, target, size, timeout) })
}

// carry sends size bytes to a probe, which sends them back, all within timeout.
func carry(ctx context.Context, target string, size int, timeout time.Duration) cargo {
	answer := cargo{Target: target}
	address, err := resolve(ctx, target)
	if err != nil {
		answer.Outcome, answer.Reason = failed, err.Error()
		return answer
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	socket, err := new(net.Dialer).DialContext(ctx, tcp, address)
	if err != nil {
		answer.Outcome, answer.Reason = classify(err)
		return answer
	}
	defer socket.Close()
	back, err := thereAndBack(ctx, socket, address, size)
	answer.PathMTU = pathMTU(socket)
	if err != nil {
		answer.Outcome, answer.Reason = classify(err)
		answer.Reason = fmt.Sprintf("%d of %d bytes came back: %s", back, size, answer.Reason)
		return answer
	}
	answer.Outcome = connected
	return answer
}

// thereAndBack returns how many bytes came back; less than size, or other bytes, are an error.
func thereAndBack(ctx context.Context, socket net.Conn, address string, size int) (int, error) {
	load := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size] // 15: no packet begins as the one before
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+"/echo", bytes.NewReader(load))
	if err != nil {
		return 0, err
	}
	// Not by http.Transport, which closes the connection, and with it goes what the kernel knows of the way.
	defer context.AfterFunc(ctx, func() { _ = socket.SetDeadline(time.Now()) })()
	if err := request.Write(socket); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(bufio.NewReader(socket), request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	back, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return len(back), err
	case response.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("no probe: HTTP status %s", response.Status)
	case !bytes.Equal(back, load):
		return len(back), fmt.Errorf("other bytes than were sent")
	}
	return len(back), nil
}

// pathMTU asks the kernel what it has learned of the way; 0 if it cannot say.
func pathMTU(socket net.Conn) int {
	raw, err := socket.(*net.TCPConn).SyscallConn()
	if err != nil {
		return 0
	}
	size := 0
	err = raw.Control(func(descriptor uintptr) {
		if known, err := syscall.GetsockoptInt(int(descriptor), syscall.IPPROTO_IP, syscall.IP_MTU); err == nil {
			size = known
		}
	})
	if err != nil {
		return 0
	}
	return size
}

// echo sends a request's bytes back: all at the end, since HTTP's clients need not read while they send.
func echo(response http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, mostBytes))
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	response.Header().Set("Content-Type", "application/octet-stream")
	_, _ = response.Write(body) // a client that has gone needs no answer
}
