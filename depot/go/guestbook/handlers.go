// The web side: a page that works with and without JavaScript, and the JSON interface of the original guestbook.php.
package main

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"log"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	messages       = "messages" // the key of the entries, as in the original
	maximumEntry   = 200        // characters
	maximumBody    = 1 << 20    // bytes
	requestTimeout = 3 * time.Second
	policy         = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

//go:embed page
var embedded embed.FS

var page = template.Must(template.ParseFS(embedded, "page/index.html"))

type frontend struct {
	store    *store
	hostname string
}

// view is what the page shows.
type view struct {
	Entries      []string
	Entry        string // what was typed, kept when it could not be written
	Problem      string
	Hostname     string
	MaximumEntry int
}

func newHandler(store *store, hostname string) http.Handler {
	site := frontend{store, hostname}
	assets, err := fs.Sub(embedded, "page")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	files := http.FileServerFS(assets)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", site.show)
	mux.HandleFunc("POST /{$}", site.add)
	mux.HandleFunc("GET /guestbook.php", site.api)
	mux.HandleFunc("POST /guestbook.php", site.api)
	mux.Handle("GET /guestbook.css", files)
	mux.Handle("GET /guestbook.js", files)
	mux.HandleFunc("GET /healthz", func(response http.ResponseWriter, _ *http.Request) { fmt.Fprintln(response, "ok") })
	mux.HandleFunc("GET /readyz", func(response http.ResponseWriter, request *http.Request) {
		if err := site.store.Ready(request.Context()); err != nil {
			http.Error(response, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(response, "ok")
	})
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		header := response.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Served-By", hostname)
		header.Set("Cache-Control", "no-cache")
		ctx, cancel := context.WithTimeout(request.Context(), requestTimeout)
		defer cancel()
		request.Body = http.MaxBytesReader(response, request.Body, maximumBody)
		mux.ServeHTTP(response, request.WithContext(ctx))
	})
}

func (f frontend) show(response http.ResponseWriter, request *http.Request) {
	f.render(response, request, http.StatusOK, view{})
}

// add takes the page's form. Scripts ask for JSON and are told so; browsers without are sent back to the page.
func (f frontend) add(response http.ResponseWriter, request *http.Request) {
	entry := strings.TrimSpace(request.FormValue("entry"))
	status, problem := http.StatusOK, ""
	if length := utf8.RuneCountInString(entry); length == 0 {
		status, problem = http.StatusBadRequest, "Please write something."
	} else if length > maximumEntry {
		status, problem = http.StatusBadRequest, fmt.Sprintf("Please write at most %d characters.", maximumEntry)
	} else if err := f.store.Append(request.Context(), messages, entry); err != nil {
		status, problem = http.StatusServiceUnavailable, err.Error()
	}
	switch {
	case strings.Contains(request.Header.Get("Accept"), "application/json"):
		answer := map[string]string{"message": "Updated"}
		if problem != "" {
			answer = map[string]string{"error": problem}
		}
		writeJSON(response, status, answer)
	case problem != "":
		f.render(response, request, status, view{Entry: entry, Problem: problem})
	default:
		http.Redirect(response, request, "/", http.StatusSeeOther) // so that a reload writes nothing twice
	}
}

// api is the original's interface: cmd=set&key=…&value=… answers {"message"}, cmd=get&key=… answers {"data"}.
func (f frontend) api(response http.ResponseWriter, request *http.Request) {
	command, key := request.FormValue("cmd"), request.FormValue("key")
	if key == "" || (command != "get" && command != "set") {
		writeJSON(response, http.StatusBadRequest, map[string]string{"error": "wanted cmd=get or cmd=set, and key="})
		return
	}
	answer := map[string]string{"message": "Updated"}
	var err error
	if command == "set" {
		err = f.store.Set(request.Context(), key, request.FormValue("value"))
	} else {
		answer = map[string]string{}
		answer["data"], err = f.store.Get(request.Context(), key)
	}
	if err != nil {
		writeJSON(response, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
		return
	}
	writeJSON(response, http.StatusOK, answer)
}

// render fills the page in; a slave that cannot be read makes it a 503 that says why.
func (f frontend) render(response http.ResponseWriter, request *http.Request, status int, shown view) {
	shown.Hostname, shown.MaximumEntry = f.hostname, maximumEntry
	entries, err := f.store.Entries(request.Context(), messages)
	if err != nil && shown.Problem == "" {
		status, shown.Problem = http.StatusServiceUnavailable, err.Error()
	}
	shown.Entries = entries
	var body bytes.Buffer
	if err := page.Execute(&body, shown); err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
		return
	}
	if shown.Problem != "" {
		log.Printf("%s %s: %d %s", request.Method, request.URL.Path, status, shown.Problem)
	}
	response.Header().Set("Content-Type", "text/html; charset=utf-8")
	response.WriteHeader(status)
	_, _ = body.WriteTo(response)
}

func writeJSON(response http.ResponseWriter, status int, answer map[string]string) {
	if reason := answer["error"]; reason != "" {
		log.Printf("%d %s", status, reason)
	}
	response.Header().Set("Content-Type", "application/json")
	response.WriteHeader(status)
	_ = json.NewEncoder(response).Encode(answer) // a caller that has gone needs no answer
}
