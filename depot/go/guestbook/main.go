// Program guestbook is the web frontend of the sample: it writes to the Redis master and reads from its slaves.
//
// Environment: GUESTBOOK_LISTEN (default ":80"), GUESTBOOK_REDIS_MASTER (default "redis-master:6379") and
// GUESTBOOK_REDIS_SLAVE (default "redis-slave:6379").
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	hostname, err := os.Hostname()
	if err != nil {
		log.Fatalf("guestbook: own hostname: %v", err)
	}
	store := newStore(
		environment("GUESTBOOK_REDIS_MASTER", "redis-master:6379"),
		environment("GUESTBOOK_REDIS_SLAVE", "redis-slave:6379"),
	)
	server := &http.Server{
		Addr:              environment("GUESTBOOK_LISTEN", ":80"),
		Handler:           newHandler(store, hostname),
		ReadHeaderTimeout: 10 * time.Second,
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		<-ctx.Done()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ctx) // requests under way are answered, then the pod may go
	}()
	log.Printf("guestbook: %s listens on %s", hostname, server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatalf("guestbook: %v", err)
	}
	<-drained
}

func environment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}
