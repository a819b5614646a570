// A real resolver against a real (if tiny) name server on a UDP socket.
package main

import (
	"context"
	"encoding/binary"
	"net"
	"slices"
	"testing"
	"time"
)

const (
	typeA     = 1
	typePTR   = 12
	noError   = 0
	serverBad = 2
	nxDomain  = 3
)

// nameServer answers every question of a type with one record per data item and the given response code.
func nameServer(t *testing.T, code byte, records map[uint16][][]byte) *net.Resolver {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		packet := make([]byte, 1500)
		for {
			_, peer, err := socket.ReadFrom(packet)
			if err != nil {
				return
			}
			end := 12
			for packet[end] != 0 {
				end += int(packet[end]) + 1
			}
			end += 5 // the root label, type and class
			answers := records[binary.BigEndian.Uint16(packet[end-4:])]
			reply := slices.Clone(packet[:end])
			reply[2], reply[3] = 0x84|packet[2]&1, 0x80|code // authoritative answer
			binary.BigEndian.PutUint16(reply[6:], uint16(len(answers)))
			copy(reply[8:12], []byte{0, 0, 0, 0})
			for _, data := range answers {
				reply = append(reply, 0xc0, 12)             // the name asked for
				reply = append(reply, packet[end-4:end]...) // type and class asked for
				reply = append(reply, 0, 0, 0, 1)           // seconds to live
				reply = binary.BigEndian.AppendUint16(reply, uint16(len(data)))
				reply = append(reply, data...)
			}
			_, _ = socket.WriteTo(reply, peer)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", socket.LocalAddr().String())
	}}
}

func TestLookupAnswersSortedAddresses(t *testing.T) {
	resolver := nameServer(t, noError, map[uint16][][]byte{typeA: {{10, 2, 0, 9}, {10, 2, 0, 10}}})
	answer := lookupAll(context.Background(), resolver, []string{"redis.default.svc.cluster.local."}, false, time.Second)[0]
	if answer.Outcome != found || !slices.Equal(answer.Answers, []string{"10.2.0.10", "10.2.0.9"}) {
		t.Fatalf("%+v", answer)
	}
}

func TestReverseLookupAnswersNamesWithoutTheLastDot(t *testing.T) {
	resolver := nameServer(t, noError, map[uint16][][]byte{typePTR: {append([]byte("\x0akubernetes\x07default\x03svc"), 0)}})
	answer := lookupAll(context.Background(), resolver, []string{"10.3.0.1"}, true, time.Second)[0]
	if answer.Outcome != found || !slices.Equal(answer.Answers, []string{"kubernetes.default.svc"}) {
		t.Fatalf("%+v", answer)
	}
}

func TestAMissingNameIsNotFoundAndNotAnError(t *testing.T) {
	answer := lookupAll(context.Background(), nameServer(t, nxDomain, nil), []string{"nobody.test."}, false, time.Second)[0]
	if answer.Outcome != notFound || answer.Reason == "" || answer.Answers == nil {
		t.Fatalf("%+v", answer)
	}
}

func TestABrokenNameServerIsAnError(t *testing.T) {
	answer := lookupAll(context.Background(), nameServer(t, serverBad, nil), []string{"nobody.test."}, false, time.Second)[0]
	if answer.Outcome != failed || answer.Reason == "" {
		t.Fatalf("%+v", answer)
	}
}

func TestReverseLookupOfANameIsAnError(t *testing.T) {
	answer := lookupAll(context.Background(), nameServer(t, noError, nil), []string{"redis"}, true, time.Second)[0]
	if answer.Outcome != failed || answer.Reason == "" {
		t.Fatalf("%+v", answer)
	}
}

func TestAResolverByTCPAsksNobodyByUDP(t *testing.T) {
	listener := listen(t)
	asked := make(chan struct{}, 1)
	go func() {
		for {
			peer, err := listener.Accept()
			if err != nil {
				return
			}
			asked <- struct{}{}
			_ = peer.Close()
		}
	}()
	socket, err := resolverBy(true).Dial(context.Background(), "udp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	<-asked
	if resolverBy(false) != net.DefaultResolver {
		t.Error("without --tcp it is another resolver than the pod's")
	}
}
