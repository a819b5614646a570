// Carrying bytes over real connections of this machine.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestBytesThatFillManyPacketsComeBack(t *testing.T) {
	server := httptest.NewServer(newHandler())
	defer server.Close()
	for _, size := range []int{1, usualBytes, 1 << 20} {
		answer := carry(context.Background(), server.Listener.Addr().String(), size, carryTimeout)
		if answer.Outcome != connected || answer.Reason != "" || answer.PathMTU < 1280 {
			t.Errorf("%d: %+v", size, answer)
		}
	}
}

func TestTooManyBytesAreAnErrorAndNoFindingAboutTheNetwork(t *testing.T) {
	server := httptest.NewServer(newHandler())
	defer server.Close()
	answer := carry(context.Background(), server.Listener.Addr().String(), mostBytes+1, carryTimeout)
	if answer.Outcome != failed {
		t.Errorf("%+v", answer)
	}
}

func TestAnswersThatAreLostAreBlocked(t *testing.T) {
	stuck := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		_, _ = io.Copy(io.Discard, request.Body)
		response.Header().Set("Content-Length", "4096")
		_, _ = response.Write(bytes.Repeat([]byte("0"), 100))
		response.(http.Flusher).Flush()
		<-stuck
	}))
	defer server.Close()
	defer close(stuck)
	answer := carry(context.Background(), server.Listener.Addr().String(), 4096, patience)
	if answer.Outcome != blocked || answer.Reason != "100 of 4096 bytes came back: timeout" {
		t.Errorf("%+v", answer)
	}
}

func TestOtherBytesAndOtherServersAreErrors(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(response http.ResponseWriter, _ *http.Request) {
		_, _ = response.Write(bytes.Repeat([]byte("x"), 10))
	}))
	defer other.Close()
	if answer := carry(context.Background(), other.Listener.Addr().String(), 10, carryTimeout); answer.Outcome != failed {
		t.Errorf("%+v", answer)
	}
	none := httptest.NewServer(http.NotFoundHandler())
	defer none.Close()
	answer := carry(context.Background(), none.Listener.Addr().String(), 10, carryTimeout)
	if answer.Outcome != failed || !strings.Contains(answer.Reason, "404") {
		t.Errorf("%+v", answer)
	}
}

func TestAClosedPortCarriesNothing(t *testing.T) {
	closed := listen(t)
	_ = closed.Close()
	answer := carry(context.Background(), closed.Addr().String(), 10, carryTimeout)
	if answer.Outcome != blocked || answer.Reason != "refused" || answer.PathMTU != 0 {
		t.Errorf("%+v", answer)
	}
}

func TestCarryOnTheCommandLine(t *testing.T) {
	server := httptest.NewServer(newHandler())
	defer server.Close()
	var output bytes.Buffer
	arguments := []string{"carry", "--json", "--bytes", "5000", "--timeout", "2s", server.Listener.Addr().String(), "bad"}
	if err := run(context.Background(), arguments, strings.NewReader(""), &output); err != nil {
		t.Fatal(err)
	}
	var answers []cargo
	if err := json.Unmarshal(output.Bytes(), &answers); err != nil || len(answers) != 2 {
		t.Fatalf("%v: %s", err, output.String())
	}
	if answers[0].Outcome != connected || answers[1].Outcome != failed {
		t.Errorf("%+v", answers)
	}
	for _, size := range []string{"0", "-1", "16777217"} {
		if err := run(context.Background(), []string{"carry", "--bytes", size, "a:1"}, strings.NewReader(""), io.Discard); err == nil {
			t.Errorf("%s bytes were taken", size)
		}
	}
}
