// Program probe is both ends of a connectivity test inside pods: it serves, and it connects and looks names up.
//
//	probe serve   [--port 8080 --port udp:8080 --port sctp:8080]
//	probe connect [--timeout 1s] [--json] [udp:|sctp:]HOST:PORT...
//	probe connect [--timeout 1s] --stdin
//	probe carry   [--timeout 5s] [--json] [--bytes 65536] HOST:PORT...
//	probe lookup  [--timeout 5s] [--json] [--tcp] NAME...
//	probe lookup  --reverse [--json] [--tcp] ADDRESS...
//
// Exit status 0 means that every question has an answer, whatever the answers are: a blocked connection is an answer,
// so that "the probe could not run" can never be taken for "the network is closed". Status 2 is a wrong command line,
// 1 a server that could not listen. With --stdin each line of targets is answered by one line, a JSON array, until the
// input ends: one process then serves for a whole series of questions. A line that begins with timeout=100ms has this
// time-out instead of the command's.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const usage = `probe serve [--port [udp:|sctp:]PORT]...
probe connect [--timeout 1s] [--json] [udp:|sctp:]HOST:PORT...
probe connect [--timeout 1s] --stdin
probe carry [--timeout 5s] [--json] [--bytes 65536] HOST:PORT...
probe lookup [--timeout 5s] [--json] [--reverse] [--tcp] NAME|ADDRESS...
`

var errUsage = errors.New("wrong command line")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "probe: %v\n%s", err, usage)
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "probe: %v\n", err)
		os.Exit(1)
	}
}

// run carries out one command and writes its answers to output.
func run(ctx context.Context, arguments []string, input io.Reader, output io.Writer) error {
	if len(arguments) == 0 {
		return fmt.Errorf("%w: no command", errUsage)
	}
	flags := flag.NewFlagSet(arguments[0], flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	var (
		ports   ports
		asJSON  = flags.Bool("json", false, "print a JSON array instead of lines")
		stdin   = flags.Bool("stdin", false, "read lines of targets from the standard input")
		reverse = flags.Bool("reverse", false, "look addresses up instead of names")
		size    = flags.Int("bytes", usualBytes, "bytes to carry there and back")
		byTCP   = flags.Bool("tcp", false, "ask the name server by TCP instead of UDP")
		timeout = flags.Duration("timeout", 0, "longest time for one answer")
	)
	flags.Var(&ports, "port", "port to listen on; may be repeated")
	if err := flags.Parse(arguments[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	words := flags.Args()
	switch command := arguments[0]; {
	case command == "serve" && len(words) == 0:
		if len(ports) == 0 {
			ports = append(ports, endpoint{tcp, 8080})
		}
		return serve(ctx, ports)
	case command == "connect" && len(words) == 0 && *stdin:
		return answerLines(ctx, input, output, positiveOr(*timeout, connectTimeout))
	case command == "connect" && len(words) > 0 && !*stdin:
		return printAnswers(output, connectAll(ctx, words, positiveOr(*timeout, connectTimeout)), *asJSON)
	case command == "carry" && len(words) > 0 && *size > 0 && *size <= mostBytes:
		return printAnswers(output, carryAll(ctx, words, *size, positiveOr(*timeout, carryTimeout)), *asJSON)
	case command == "lookup" && len(words) > 0:
		answers := lookupAll(ctx, resolverBy(*byTCP), words, *reverse, positiveOr(*timeout, lookupTimeout))
		return printAnswers(output, answers, *asJSON)
	default:
		return fmt.Errorf("%w: %q", errUsage, arguments)
	}
}

func printAnswers[Answer fmt.Stringer](output io.Writer, answers []Answer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(output).Encode(answers)
	}
	for _, answer := range answers {
		if _, err := fmt.Fprintln(output, answer); err != nil {
			return err
		}
	}
	return nil
}

func positiveOr(value, otherwise time.Duration) time.Duration {
	if value > 0 {
		return value
	}
	return otherwise
}

// endpoint is what a server listens on.
type endpoint struct {
	protocol string
	port     int
}

func (e endpoint) String() string { return fmt.Sprintf("%s:%d", e.protocol, e.port) }

// ports is a flag that may be given several times.
type ports []endpoint

func (p *ports) String() string { return fmt.Sprint(*p) }

// Set adds one port, 1 to 65535, of TCP or of the protocol before it.
func (p *ports) Set(text string) error {
	protocol, number, found := strings.Cut(text, ":")
	if !found {
		protocol, number = tcp, text
	}
	port, err := parsePort(number)
	if err != nil || !slices.Contains(protocols, protocol) {
		return fmt.Errorf("%q is no port", text)
	}
	*p = append(*p, endpoint{protocol, port})
	return nil
}

func parsePort(text string) (int, error) {
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("%q is no port", text)
	}
	return int(port), nil
}
