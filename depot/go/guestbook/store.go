// The store: keys on Redis, written to the master and read from a slave.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// The original keeps all entries in one value, with commas between them. A comma that belongs to an entry is escaped,
// and so is the percent sign that the escape needs.
const separator = ","

var (
	escape   = strings.NewReplacer("%", "%25", separator, "%2C")
	unescape = strings.NewReplacer("%25", "%", "%2C", separator)
)

// appendEntry adds to a list in one step on the server: two frontends at once must not lose an entry.
var appendEntry = redis.NewScript(`
local entries = redis.call('GET', KEYS[1])
if entries and entries ~= '' then entries = entries .. ARGV[2] .. ARGV[1] else entries = ARGV[1] end
return redis.call('SET', KEYS[1], entries)`)

type store struct{ master, slave *redis.Client }

func newStore(master, slave string) *store {
	return &store{master: newClient(master), slave: newClient(slave)}
}

func newClient(address string) *redis.Client {
	return redis.NewClient(&redis.Options{
		Addr:                     address,
		DialTimeout:              time.Second,
		DialerRetries:            1,
		ReadTimeout:              time.Second,
		WriteTimeout:             time.Second,
		ContextTimeoutEnabled:    true,
		MaxRetries:               1,
		ConnMaxLifetime:          30 * time.Second, // so that reads move on to slaves that came later
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// Get reads a value from a slave; a key that does not exist is empty.
func (s *store) Get(ctx context.Context, key string) (string, error) {
	value, err := s.slave.Get(ctx, key).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("reading from %s: %w", s.slave.Options().Addr, err)
	}
	return value, nil
}

// Set replaces a value on the master.
func (s *store) Set(ctx context.Context, key, value string) error {
	return s.written(s.master.Set(ctx, key, value, 0).Err())
}

// Append adds one entry to the list under a key.
func (s *store) Append(ctx context.Context, key, entry string) error {
	return s.written(appendEntry.Run(ctx, s.master, []string{key}, escape.Replace(entry), separator).Err())
}

// Entries is the list under a key, oldest first.
func (s *store) Entries(ctx context.Context, key string) ([]string, error) {
	value, err := s.Get(ctx, key)
	if err != nil || value == "" {
		return nil, err
	}
	entries := strings.Split(value, separator)
	for index, entry := range entries {
		entries[index] = unescape.Replace(entry)
	}
	return entries, nil
}

// Ready tells whether both sides answer.
func (s *store) Ready(ctx context.Context) error {
	for _, client := range []*redis.Client{s.master, s.slave} {
		if err := client.Ping(ctx).Err(); err != nil {
			return fmt.Errorf("asking %s: %w", client.Options().Addr, err)
		}
	}
	return nil
}

func (s *store) written(err error) error {
	if err != nil {
		return fmt.Errorf("writing to %s: %w", s.master.Options().Addr, err)
	}
	return nil
}
