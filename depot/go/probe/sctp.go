// SCTP, which Go's library does not know: one-to-one sockets, which connect and accept as TCP's do.
package main

import (
	"context"
	"net/netip"
	"os"
	"syscall"
	"time"
)

const protocolSCTP = 132 // IANA's number

// dialSCTP makes an association and ends it. A kernel without SCTP is an error: EPROTONOSUPPORT.
func dialSCTP(ctx context.Context, address string, timeout time.Duration) (string, error) {
	return "", dialStream(ctx, address, timeout, protocolSCTP)
}

// dialStream connects a stream socket of a protocol, by its number.
func dialStream(ctx context.Context, address string, timeout time.Duration, protocol int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	domain, name := socketAddress(target)
	file, socket, err := streamSocket(domain, protocol)
	if err != nil {
		return err
	}
	defer file.Close()
	_ = file.SetDeadline(time.Now().Add(timeout))
	defer context.AfterFunc(ctx, func() { _ = file.SetDeadline(time.Now()) })()
	started, failure := false, error(nil)
	err = socket.Write(func(descriptor uintptr) bool {
		if !started { // Write calls again when the socket is writable: connected, or failed
			started = true
			failure = syscall.Connect(int(descriptor), name)
			return failure != syscall.EINPROGRESS
		}
		code, err := syscall.GetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_ERROR)
		failure = err
		if err == nil && code != 0 {
			failure = syscall.Errno(code)
		}
		if failure != nil {
			return true
		}
		// Linux calls a new socket writable too, before it connects, and the runtime's poller may hand that on only now
		// (golang.org/issue/14548): who has no peer is not connected yet.
		_, err = syscall.Getpeername(int(descriptor))
		return err == nil
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	}
	return failure
}

// streamListener accepts connections of a protocol and closes them: who connects has learned what it wanted.
type streamListener struct {
	file   *os.File
	socket syscall.RawConn
}

// listenStream listens on a port of all addresses, IPv6 and IPv4 where the kernel has both.
func listenStream(port, protocol int) (*streamListener, error) {
	var failure error
	for _, any := range []netip.Addr{netip.IPv6Unspecified(), netip.IPv4Unspecified()} {
		domain, name := socketAddress(netip.AddrPortFrom(any, uint16(port)))
		file, socket, err := streamSocket(domain, protocol)
		if err == nil {
			err = listenOn(socket, name)
			if err == nil {
				return &streamListener{file, socket}, nil
			}
			_ = file.Close()
		}
		failure = err
		if err != syscall.EAFNOSUPPORT && err != syscall.EADDRNOTAVAIL {
			break
		}
	}
	return nil, failure
}

func listenOn(socket syscall.RawConn, name syscall.Sockaddr) error {
	var failure error
	if err := socket.Control(func(descriptor uintptr) {
		_ = syscall.SetsockoptInt(int(descriptor), syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
		if failure = syscall.Bind(int(descriptor), name); failure == nil {
			failure = syscall.Listen(int(descriptor), syscall.SOMAXCONN)
		}
	}); err != nil {
		return err
	}
	return failure
}

// serve accepts until the listener is closed.
func (l *streamListener) serve() error {
	for {
		var failure error
		if err := l.socket.Read(func(descriptor uintptr) bool {
			accepted, _, err := syscall.Accept4(int(descriptor), syscall.SOCK_CLOEXEC)
			if err == syscall.EAGAIN {
				return false
			}
			if failure = err; err == nil {
				_ = syscall.Close(accepted)
			}
			return true
		}); err != nil {
			return err
		}
		if failure != nil && failure != syscall.ECONNABORTED && failure != syscall.EINTR {
			return failure
		}
	}
}

func (l *streamListener) Close() error { return l.file.Close() }

// streamSocket makes a socket that the runtime's poller waits for, so that deadlines work.
func streamSocket(domain, protocol int) (*os.File, syscall.RawConn, error) {
	kind := syscall.SOCK_STREAM | syscall.SOCK_CLOEXEC | syscall.SOCK_NONBLOCK
	descriptor, err := syscall.Socket(domain, kind, protocol)
	if err != nil {
		return nil, nil, err
	}
	file := os.NewFile(uintptr(descriptor), "socket")
	socket, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return file, socket, nil
}

func socketAddress(address netip.AddrPort) (domain int, name syscall.Sockaddr) {
	if ip := address.Addr().Unmap(); ip.Is4() {
		return syscall.AF_INET, &syscall.SockaddrInet4{Port: int(address.Port()), Addr: ip.As4()}
	}
	return syscall.AF_INET6, &syscall.SockaddrInet6{Port: int(address.Port()), Addr: address.Addr().As16()}
}
