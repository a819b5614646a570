// The server over real HTTP, and the command line as pods' commands use it.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	response, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(body))
}

func TestServerAnswersWhoIsThereAndWhoIsAsking(t *testing.T) {
	server := httptest.NewServer(newHandler())
	defer server.Close()
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for path, wanted := range map[string]string{"/client-address": "127.0.0.1", "/hostname": hostname, "/healthz": "ok"} {
		if status, body := get(t, server.URL+path); status != http.StatusOK || body != wanted {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
}

func TestServerConnectsToManyTargetsInOneCall(t *testing.T) {
	server := httptest.NewServer(newHandler())
	defer server.Close()
	open, closed := server.Listener.Addr().String(), listen(t)
	_ = closed.Close()
	query := url.Values{"target": {open, closed.Addr().String(), "bad"}, "timeout": {"500ms"}}
	status, body := get(t, server.URL+"/connect?"+query.Encode())
	var answers []connection
	if err := json.Unmarshal([]byte(body), &answers); err != nil || status != http.StatusOK || len(answers) != 3 {
		t.Fatalf("%v: %d %s", err, status, body)
	}
	if answers[0].Outcome != connected || answers[0].ClientAddress != "127.0.0.1" || answers[0].Target != open {
		t.Errorf("%+v", answers[0])
	}
	if answers[1].Outcome != blocked || answers[2].Outcome != failed {
		t.Errorf("%+v", answers[1:])
	}
}

func TestServerLooksUp(t *testing.T) {
	server := httptest.NewServer(newHandler())
	defer server.Close()
	status, body := get(t, server.URL+"/lookup?name=localhost")
	if status != http.StatusOK || !strings.Contains(body, `"outcome":"found"`) || !strings.Contains(body, `"127.0.0.1"`) {
		t.Errorf("%d %s", status, body)
	}
	status, body = get(t, server.URL+"/lookup?address=no-address")
	if status != http.StatusOK || !strings.Contains(body, `"outcome":"error"`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestServerSaysWhatIsWrongWithAQuery(t *testing.T) {
	server := httptest.NewServer(newHandler())
	defer server.Close()
	for _, path := range []string{"/connect", "/lookup", "/connect?target=a:1&timeout=soon", "/connect?target=a:1&timeout=0s"} {
		if status, body := get(t, server.URL+path); status != http.StatusBadRequest || body == "" {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
}

func TestServeListensOnEveryPortUntilItIsStopped(t *testing.T) {
	var arguments []string
	addresses := make([]string, 2)
	for index := range addresses {
		listener := listen(t)
		addresses[index] = listener.Addr().String()
		arguments = append(arguments, "--port", strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
		_ = listener.Close()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, append([]string{"serve"}, arguments...), strings.NewReader(""), io.Discard) }()
	for _, address := range addresses {
		deadline := time.Now().Add(10 * time.Second)
		for connect(ctx, address, patience).ClientAddress != "127.0.0.1" {
			if time.Now().After(deadline) {
				t.Fatalf("%s does not serve", address)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

func TestServeFailsOnAPortInUse(t *testing.T) {
	port := strconv.Itoa(listen(t).Addr().(*net.TCPAddr).Port)
	if err := run(context.Background(), []string{"serve", "--port", port}, strings.NewReader(""), io.Discard); err == nil || errors.Is(err, errUsage) {
		t.Fatal(err)
	}
}

func TestConnectOnTheCommandLinePrintsOneArrayOrLines(t *testing.T) {
	address := listen(t).Addr().String()
	var output bytes.Buffer
	if err := run(context.Background(), []string{"connect", "--timeout", "200ms", "--json", address, "bad"}, strings.NewReader(""), &output); err != nil {
		t.Fatal(err)
	}
	var answers []connection
	if err := json.Unmarshal(output.Bytes(), &answers); err != nil || len(answers) != 2 || answers[0].Outcome != connected {
		t.Errorf("%v: %s", err, &output)
	}
	output.Reset()
	if err := run(context.Background(), []string{"connect", "--timeout", "200ms", address}, strings.NewReader(""), &output); err != nil {
		t.Fatal(err)
	}
	if output.String() != "connected "+address+"\n" {
		t.Errorf("%q", &output)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, line := range []string{"", "dance", "connect", "lookup", "serve now", "serve --port 0", "serve --port icmp:1", "connect --stdin a:1", "connect --timeout soon a:1"} {
		if err := run(context.Background(), strings.Fields(line), strings.NewReader(""), io.Discard); !errors.Is(err, errUsage) {
			t.Errorf("%q: %v", line, err)
		}
	}
}
