// Protocols: how a client finds out whether a server can be reached, and which address the server sees as the client's.
package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"
)

const (
	tcp  = "tcp"
	udp  = "udp"
	sctp = "sctp"
)

var protocols = []string{tcp, udp, sctp}

// dialers connect once to ip:port. They return the client's address as the server saw it, empty if the server is no
// probe or the protocol has no way to say so; an error is for classify.
var dialers = map[string]func(ctx context.Context, address string, timeout time.Duration) (string, error){
	tcp: dialTCP, udp: dialUDP, sctp: dialSCTP,
}

// errRejected is an answer of the network: the host's own rules let no datagram of ours out.
var errRejected = errors.New("rejected")

// question is what a client sends to a server of UDP. Nothing else is answered, so that two servers never talk.
const question = "client-address?\n"

// protocolOf splits protocol:host:port; without a protocol it is TCP.
func protocolOf(target string) (protocol, place string) {
	for _, each := range protocols {
		// A host may be called as a protocol is: then no second colon follows.
		if rest, found := strings.CutPrefix(target, each+":"); found && strings.Contains(rest, ":") {
			return each, rest
		}
	}
	return tcp, target
}

func dialTCP(ctx context.Context, address string, timeout time.Duration) (string, error) {
	dialer := net.Dialer{Timeout: timeout}
	socket, err := dialer.DialContext(ctx, tcp, address)
	if err != nil {
		return "", err
	}
	defer socket.Close()
	return askClientAddress(socket, address, timeout), nil
}

// dialUDP sends the question until somebody answers: a datagram may be lost, silence has to last for all of timeout.
func dialUDP(ctx context.Context, address string, timeout time.Duration) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	socket, err := net.Dial(udp, address)
	if err != nil {
		return "", err
	}
	defer socket.Close()
	defer context.AfterFunc(ctx, func() { _ = socket.SetDeadline(time.Now()) })()
	answer := make([]byte, 128)
	for deadline := time.Now().Add(timeout); ; {
		if _, err := socket.Write([]byte(question)); err != nil {
			return "", whoseFault(err)
		}
		_ = socket.SetReadDeadline(earlier(deadline, time.Now().Add(timeout/3)))
		length, err := socket.Read(answer)
		if err == nil {
			return parseAddress(string(answer[:length])), nil
		}
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if late, ok := err.(net.Error); !ok || !late.Timeout() || !time.Now().Before(deadline) {
			return "", err
		}
	}
}

// whoseFault tells a rule of this host's firewall, which answers a datagram at once, from a probe that may not send at all:
// a socket that exists may be written to.
func whoseFault(err error) error {
	if errors.Is(err, syscall.EPERM) {
		return errRejected
	}
	return err
}

func earlier(one, other time.Time) time.Time {
	if one.Before(other) {
		return one
	}
	return other
}

// serveUDP answers every question with the client's address, until the socket is closed.
func serveUDP(socket net.PacketConn) error {
	buffer := make([]byte, 128)
	for {
		length, client, err := socket.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if peer, err := netip.ParseAddrPort(client.String()); err == nil && string(buffer[:length]) == question {
			_, _ = socket.WriteTo([]byte(peer.Addr().Unmap().WithZone("").String()), client) // a lost answer is asked again
		}
	}
}

// askClientAddress asks a probe at the other end which address it sees; empty if the other end is something else.
func askClientAddress(tcp net.Conn, address string, timeout time.Duration) string {
	client := http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			DialContext:       func(context.Context, string, string) (net.Conn, error) { return tcp, nil },
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Get("http://" + address + "/client-address")
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 128))
	if err != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return parseAddress(string(body))
}

// parseAddress returns the address in a server's answer; empty if it is none.
func parseAddress(text string) string {
	seen, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil {
		return ""
	}
	return seen.String()
}
