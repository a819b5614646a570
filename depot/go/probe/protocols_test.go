// UDP and stream sockets by number, with real sockets, and lines of targets on the standard input.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func listenUDP(t *testing.T) net.PacketConn {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	return socket
}

func TestUDPToAProbeReportsOurAddressAsTheServerSawIt(t *testing.T) {
	socket := listenUDP(t)
	go func() { _ = serveUDP(socket) }()
	target := "udp:" + socket.LocalAddr().String()
	answer := connect(context.Background(), target, patience)
	if answer.Outcome != connected || answer.ClientAddress != "127.0.0.1" || answer.Target != target {
		t.Fatalf("%+v", answer)
	}
}

func TestUDPToSilenceIsBlockedAsTimeoutAfterTheWholeTime(t *testing.T) {
	answer := connect(context.Background(), "udp:"+listenUDP(t).LocalAddr().String(), patience)
	if answer.Outcome != blocked || answer.Reason != "timeout" || answer.Milliseconds < patience.Milliseconds() {
		t.Fatalf("%+v", answer)
	}
}

func TestUDPToAClosedPortIsBlockedAsRefused(t *testing.T) {
	socket := listenUDP(t)
	_ = socket.Close()
	answer := connect(context.Background(), "udp:"+socket.LocalAddr().String(), patience)
	if answer.Outcome != blocked || answer.Reason != "refused" {
		t.Fatalf("%+v", answer)
	}
}

func TestADatagramThatTheHostsRulesRejectIsBlockedAndAnythingElseIsAnError(t *testing.T) {
	for cause, wanted := range map[syscall.Errno]string{syscall.EPERM: blocked, syscall.EACCES: failed} {
		if outcome, reason := classify(whoseFault(&net.OpError{Op: "write", Err: cause})); outcome != wanted {
			t.Errorf("%v: %s %s", cause, outcome, reason)
		}
	}
}

func TestALostDatagramIsSentAgain(t *testing.T) {
	socket := listenUDP(t)
	go func() {
		_, _, _ = socket.ReadFrom(make([]byte, 128)) // lost
		_ = serveUDP(socket)
	}()
	if answer := connect(context.Background(), "udp:"+socket.LocalAddr().String(), patience); answer.Outcome != connected {
		t.Fatalf("%+v", answer)
	}
}

func TestUDPServerAnswersNothingButTheQuestion(t *testing.T) {
	socket := listenUDP(t)
	go func() { _ = serveUDP(socket) }()
	client, err := net.Dial("udp", socket.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	_, _ = client.Write([]byte("10.0.0.1"))
	_, _ = client.Write([]byte(question))
	_ = client.SetReadDeadline(time.Now().Add(10 * patience))
	answer := make([]byte, 128)
	if length, err := client.Read(answer); err != nil || string(answer[:length]) != "127.0.0.1" {
		t.Fatalf("%v: %q", err, answer[:length])
	}
	_ = client.SetReadDeadline(time.Now().Add(patience))
	if length, err := client.Read(answer); err == nil {
		t.Fatalf("a second answer: %q", answer[:length])
	}
}

func TestInterruptedDatagramsAreAnError(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience/4)
	defer cancel()
	time.AfterFunc(patience/8, cancel)
	if answer := connect(ctx, "udp:"+listenUDP(t).LocalAddr().String(), 10*patience); answer.Outcome != failed {
		t.Fatalf("%+v", answer)
	}
}

func TestProtocolOfATarget(t *testing.T) {
	for target, wanted := range map[string]string{
		"a:1": "tcp a:1", "tcp:a:1": "tcp a:1", "udp:a:1": "udp a:1", "sctp:[::1]:5": "sctp [::1]:5", "udp:1": "tcp udp:1",
		"icmp:a:1": "tcp icmp:a:1",
	} {
		if protocol, place := protocolOf(target); protocol+" "+place != wanted {
			t.Errorf("%s: %s %s", target, protocol, place)
		}
	}
}

// The sockets that SCTP uses, by TCP's number: the kernel of a machine that runs tests often has no SCTP.
func TestStreamSocketsConnectAreRefusedAndTimeOut(t *testing.T) {
	port := listen(t).Addr().(*net.TCPAddr).Port + 1
	stream, err := listenStream(port, syscall.IPPROTO_TCP)
	for err == syscall.EADDRINUSE {
		port++
		stream, err = listenStream(port, syscall.IPPROTO_TCP)
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = stream.serve() }()
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for range 3 {
		if err := dialStream(context.Background(), address, patience, syscall.IPPROTO_TCP); err != nil {
			t.Fatal(err)
		}
	}
	_ = stream.Close()
	if err := dialStream(context.Background(), address, patience, syscall.IPPROTO_TCP); err != syscall.ECONNREFUSED {
		t.Errorf("%v", err)
	}
	err = dialStream(context.Background(), silentAddress(t), patience, syscall.IPPROTO_TCP)
	if outcome, reason := classify(err); outcome != blocked || reason != "timeout" {
		t.Errorf("%v", err)
	}
}

// The runtime's poller wakes who waits for a new socket once for nothing: that it is not connected yet.
func TestStreamSocketIsNotConnectedBecauseThePollerWokeIt(t *testing.T) {
	address := silentAddress(t)
	var group sync.WaitGroup
	for range 64 {
		group.Go(func() {
			for range 20 {
				err := dialStream(context.Background(), address, 5*time.Millisecond, syscall.IPPROTO_TCP)
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%v", err)
				}
			}
		})
	}
	group.Wait()
}

func TestSCTPIsConnectedOrAnErrorThatSaysThatTheKernelHasNone(t *testing.T) {
	stream, err := listenStream(39080, protocolSCTP)
	if err == nil {
		defer stream.Close()
		go func() { _ = stream.serve() }()
	}
	answer := connect(context.Background(), "sctp:127.0.0.1:39080", patience)
	if errors.Is(err, syscall.EPROTONOSUPPORT) {
		if answer.Outcome != failed || answer.Reason != syscall.EPROTONOSUPPORT.Error() {
			t.Errorf("%+v", answer)
		}
	} else if err != nil || answer.Outcome != connected {
		t.Errorf("%v: %+v", err, answer)
	}
}

func TestServeAnswersDatagramsAndLeavesOutWhatTheKernelLacks(t *testing.T) {
	socket := listenUDP(t)
	address := socket.LocalAddr().String()
	_, port, _ := net.SplitHostPort(address)
	_ = socket.Close()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"serve", "--port", "udp:" + port, "--port", "sctp:39081"}, strings.NewReader(""), io.Discard)
	}()
	for deadline := time.Now().Add(10 * time.Second); ; {
		if connect(ctx, "udp:"+address, patience).ClientAddress == "127.0.0.1" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("it does not serve")
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestEachLineOfTargetsIsAnsweredByOneLine(t *testing.T) {
	address := listen(t).Addr().String()
	questions, send := io.Pipe()
	answers, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- run(context.Background(), []string{"connect", "--stdin", "--timeout", "200ms"}, questions, write)
	}()
	lines := bufio.NewScanner(answers)
	for _, line := range []string{address, address + " bad " + address, ""} {
		_, _ = fmt.Fprintln(send, line)
		if !lines.Scan() {
			t.Fatal("no answer")
		}
		var found []connection
		if err := json.Unmarshal(lines.Bytes(), &found); err != nil || len(found) != len(strings.Fields(line)) {
			t.Errorf("%v: %s", err, lines.Text())
		}
	}
	_ = send.Close()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	long := strings.Repeat("x", longestLine+1)
	if err := answerLines(context.Background(), strings.NewReader(long), &output, patience); err == nil {
		t.Error("a line that is too long was taken")
	}
}

func TestLineMayHaveATimeOutOfItsOwn(t *testing.T) {
	var output bytes.Buffer
	line, start := "timeout=50ms "+silentAddress(t)+"\n", time.Now()
	if err := answerLines(context.Background(), strings.NewReader(line), &output, time.Minute); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("the answer took %v", took)
	}
	var found []connection
	if err := json.Unmarshal(output.Bytes(), &found); err != nil || len(found) != 1 || found[0].Outcome != blocked {
		t.Errorf("%v: %s", err, output.String())
	}
	if err := answerLines(context.Background(), strings.NewReader("timeout=soon a:1\n"), &output, patience); err == nil {
		t.Error("a time-out that is none was taken")
	}
}
