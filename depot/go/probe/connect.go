// Connecting: many targets at once, each with one of three outcomes that are never mixed up.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	connectTimeout = time.Second
	resolveTimeout = 5 * time.Second // a slow resolver must not look like a closed network
	concurrency    = 256
	longestLine    = 1 << 20
)

// The outcomes of a connection. A failing probe is an error and never "blocked": otherwise tests of denials would
// pass exactly when probing is broken.
const (
	connected = "connected"
	blocked   = "blocked"
	failed    = "error"
)

// connection is the answer for one target.
type connection struct {
	Target        string `json:"target"`                   // as asked: host:port, or protocol:host:port
	Outcome       string `json:"outcome"`                  // connected, blocked or error
	Address       string `json:"address,omitempty"`        // the ip:port that was tried
	ClientAddress string `json:"client_address,omitempty"` // our own IP as the server saw it, if the server is a probe
	Reason        string `json:"reason,omitempty"`         // why not connected
	Milliseconds  int64  `json:"milliseconds"`
}

func (c connection) String() string {
	line := c.Outcome + " " + c.Target
	if c.ClientAddress != "" {
		line += " as " + c.ClientAddress
	}
	if c.Reason != "" {
		line += ": " + c.Reason
	}
	return line
}

// connectAll tries every target at the same time and answers in the order of the targets.
func connectAll(ctx context.Context, targets []string, timeout time.Duration) []connection {
	return atOnce(targets, func(target string) connection { return connect(ctx, target, timeout) })
}

// connect tries one target within timeout; resolving a name has a time-out of its own.
func connect(ctx context.Context, target string, timeout time.Duration) connection {
	answer := connection{Target: target}
	protocol, place := protocolOf(target)
	address, err := resolve(ctx, place)
	if err != nil {
		answer.Outcome, answer.Reason = failed, err.Error()
		return answer
	}
	answer.Address = address
	start := time.Now()
	answer.ClientAddress, err = dialers[protocol](ctx, address, timeout)
	answer.Milliseconds = time.Since(start).Milliseconds()
	if err != nil {
		answer.Outcome, answer.Reason = classify(err)
		return answer
	}
	answer.Outcome = connected
	return answer
}

// answerLines answers each line of targets, which spaces separate, by one line: a JSON array in their order. A line may
// begin with a time-out of its own, such as timeout=100ms.
func answerLines(ctx context.Context, input io.Reader, output io.Writer, timeout time.Duration) error {
	lines := bufio.NewScanner(input)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		targets, limit, err := targetsOf(lines.Text(), timeout)
		if err != nil {
			return err
		}
		if err := json.NewEncoder(output).Encode(connectAll(ctx, targets, limit)); err != nil {
			return err
		}
	}
	return lines.Err()
}

// targetsOf returns the targets of a line, and the time-out that it begins with, or else the usual one.
func targetsOf(line string, usual time.Duration) ([]string, time.Duration, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil, usual, nil
	}
	text, has := strings.CutPrefix(words[0], "timeout=")
	if !has {
		return words, usual, nil
	}
	timeout, err := time.ParseDuration(text)
	return words[1:], timeout, err
}

// resolve turns host:port into ip:port. Of several addresses the first IPv4 one is taken.
func resolve(ctx context.Context, target string) (string, error) {
	host, port, err := net.SplitHostPort(target)
	if err != nil || host == "" {
		return "", fmt.Errorf("bad target %q: wanted host:port", target)
	}
	if _, err := parsePort(port); err != nil {
		return "", fmt.Errorf("bad target %q: wanted host:port", target)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return target, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return "", err
	}
	chosen := addresses[0].Unmap()
	for _, address := range addresses {
		if address.Unmap().Is4() {
			chosen = address.Unmap()
			break
		}
	}
	return net.JoinHostPort(chosen.String(), port), nil
}

// classify says what a failed dial means: an answer (or silence) of the network, or a failure of ours.
func classify(err error) (outcome, reason string) {
	switch {
	case errors.Is(err, context.Canceled):
		return failed, "interrupted"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return blocked, "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return blocked, "refused"
	case errors.Is(err, errRejected):
		return blocked, errRejected.Error()
	case errors.Is(err, syscall.EHOSTUNREACH):
		return blocked, "host unreachable"
	case errors.Is(err, syscall.ENETUNREACH):
		return blocked, "network unreachable"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return blocked, "timeout"
	}
	return failed, err.Error()
}

// atOnce asks every question concurrently (up to a bound) and keeps the order.
func atOnce[Answer any](questions []string, ask func(string) Answer) []Answer {
	answers := make([]Answer, len(questions))
	slots := make(chan struct{}, concurrency)
	var group sync.WaitGroup
	for index, question := range questions {
		slots <- struct{}{}
		group.Go(func() {
			answers[index] = ask(question)
			<-slots
		})
	}
	group.Wait()
	return answers
}
