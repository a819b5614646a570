// Serving: who is there, who is asking, and the same probes as on the command line, one HTTP call for many targets.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// serve listens on every port until ctx ends. A port that cannot be had is an error before anything is served; only SCTP
// is left out where the kernel has none: clients there say so themselves.
func serve(ctx context.Context, ports ports) error {
	server := &http.Server{Handler: newHandler(), ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan error, len(ports))
	starts := make([]func() error, 0, len(ports))
	for _, port := range ports {
		start, listener, err := listenOnPort(server, port)
		if port.protocol == sctp && errors.Is(err, syscall.EPROTONOSUPPORT) {
			fmt.Printf("%s is left out: %v\n", port, err)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", port, err)
		}
		defer listener.Close()
		fmt.Printf("listening on %s\n", port)
		starts = append(starts, start)
	}
	for _, start := range starts {
		go func() { ended <- start() }()
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		// Tests delete many pods: nobody waits for open connections.
		if err := server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

// listenOnPort opens a port and returns how it is served.
func listenOnPort(server *http.Server, port endpoint) (start func() error, listener io.Closer, err error) {
	switch address := fmt.Sprintf(":%d", port.port); port.protocol {
	case udp:
		socket, err := net.ListenPacket(udp, address)
		return func() error { return serveUDP(socket) }, socket, err
	case sctp:
		stream, err := listenStream(port.port, protocolSCTP)
		return func() error { return stream.serve() }, stream, err
	default:
		socket, err := net.Listen(tcp, address)
		return func() error { return server.Serve(socket) }, socket, err
	}
}

// newHandler answers GET /client-address, /hostname, /healthz (text) and /connect, /lookup (JSON arrays), and POST /echo.
func newHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(response http.ResponseWriter, _ *http.Request) { text(response, "ok") })
	mux.HandleFunc("GET /hostname", func(response http.ResponseWriter, _ *http.Request) {
		name, err := os.Hostname()
		if err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		text(response, name)
	})
	mux.HandleFunc("GET /client-address", func(response http.ResponseWriter, request *http.Request) {
		peer, err := netip.ParseAddrPort(request.RemoteAddr)
		if err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		text(response, peer.Addr().Unmap().String())
	})
	mux.HandleFunc("POST /echo", echo)
	mux.HandleFunc("GET /connect", func(response http.ResponseWriter, request *http.Request) {
		answerAll(response, request, "target", connectTimeout, func(targets []string, timeout time.Duration) any {
			return connectAll(request.Context(), targets, timeout)
		})
	})
	mux.HandleFunc("GET /lookup", func(response http.ResponseWriter, request *http.Request) {
		_, reverse := request.URL.Query()["address"]
		parameter := "name"
		if reverse {
			parameter = "address"
		}
		answerAll(response, request, parameter, lookupTimeout, func(questions []string, timeout time.Duration) any {
			return lookupAll(request.Context(), net.DefaultResolver, questions, reverse, timeout)
		})
	})
	return mux
}

// answerAll reads the repeated parameter and ?timeout=, asks, and writes the answers as JSON.
func answerAll(
	response http.ResponseWriter,
	request *http.Request,
	parameter string,
	timeout time.Duration,
	ask func([]string, time.Duration) any,
) {
	query := request.URL.Query()
	if len(query[parameter]) == 0 {
		http.Error(response, fmt.Sprintf("no %s= in the query", parameter), http.StatusBadRequest)
		return
	}
	if given := query.Get("timeout"); given != "" {
		parsed, err := time.ParseDuration(given)
		if err != nil || parsed <= 0 {
			http.Error(response, fmt.Sprintf("bad timeout %q: wanted for example 500ms", given), http.StatusBadRequest)
			return
		}
		timeout = parsed
	}
	response.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(response).Encode(ask(query[parameter], timeout)) // a caller that has gone needs no answer
}

func text(response http.ResponseWriter, line string) {
	response.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprintln(response, line)
}
