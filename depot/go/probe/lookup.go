// Looking names up the way the pod's own resolver configuration says, search path included.
package main

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"time"
)

const lookupTimeout = 5 * time.Second

// The outcomes of a lookup besides error: the name has records, or the resolver says that it has none.
const (
	found    = "found"
	notFound = "not found"
)

// lookup is the answer for one name or, in reverse, one address.
type lookup struct {
	Question string   `json:"question"`         // the name or address as asked
	Outcome  string   `json:"outcome"`          // found, not found or error
	Answers  []string `json:"answers"`          // sorted addresses or, in reverse, sorted names without the last dot
	Reason   string   `json:"reason,omitempty"` // why not found
}

func (l lookup) String() string {
	if l.Outcome == found {
		return l.Outcome + " " + l.Question + ": " + strings.Join(l.Answers, " ")
	}
	return l.Outcome + " " + l.Question + ": " + l.Reason
}

// resolverBy returns the pod's own resolver; by TCP it asks the same servers with the protocol that long answers need.
func resolverBy(tcpOnly bool) *net.Resolver {
	if !tcpOnly {
		return net.DefaultResolver
	}
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, server string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, tcp, server)
	}}
}

// lookupAll asks every question at the same time and answers in the order of the questions.
func lookupAll(ctx context.Context, resolver *net.Resolver, questions []string, reverse bool, timeout time.Duration) []lookup {
	return atOnce(questions, func(question string) lookup {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return lookUp(ctx, resolver, question, reverse)
	})
}

func lookUp(ctx context.Context, resolver *net.Resolver, question string, reverse bool) lookup {
	ask := resolver.LookupHost
	if reverse {
		ask = resolver.LookupAddr
	}
	answers, err := ask(ctx, question)
	if err != nil {
		outcome := failed
		if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
			outcome = notFound
		}
		return lookup{Question: question, Outcome: outcome, Answers: []string{}, Reason: err.Error()}
	}
	for index := range answers {
		answers[index] = strings.TrimSuffix(answers[index], ".")
	}
	slices.Sort(answers)
	return lookup{Question: question, Outcome: found, Answers: slices.Compact(answers)}
}
