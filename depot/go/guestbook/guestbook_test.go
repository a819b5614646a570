// The whole frontend over HTTP, against a real master and a real slave.
package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// site is a running frontend; its client follows no redirects, so that tests see them.
type site struct {
	t      *testing.T
	url    string
	client *http.Client
}

func startSite(t *testing.T, store *store) site {
	server := httptest.NewServer(newHandler(store, "frontend-1"))
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return site{t, server.URL, client}
}

func (s site) send(method, path string, form url.Values, accept string) (*http.Response, string) {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := s.client.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response, string(body)
}

func (s site) get(path string) (*http.Response, string) { return s.send("GET", path, nil, "text/html") }

func (s site) sign(entry string) (*http.Response, string) {
	return s.send("POST", "/", url.Values{"entry": {entry}}, "text/html")
}

// api calls guestbook.php and gives status and answer.
func (s site) api(query url.Values) (int, map[string]string) {
	s.t.Helper()
	response, body := s.get("/guestbook.php?" + query.Encode())
	var answer map[string]string
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		s.t.Fatalf("%s: %v", body, err)
	}
	return response.StatusCode, answer
}

func (s site) shows(entry string) bool {
	s.t.Helper()
	_, body := s.get("/")
	return strings.Contains(body, "<li>"+html.EscapeString(entry)+"</li>")
}

func TestEntryWrittenThroughOneFrontendIsReadFromAnother(t *testing.T) {
	store, _, _ := startPair(t)
	one, other := startSite(t, store), startSite(t, newStore(store.master.Options().Addr, store.slave.Options().Addr))
	response, _ := one.sign("Hello from Ada")
	if response.StatusCode != http.StatusSeeOther || response.Header.Get("Location") != "/" {
		t.Fatalf("%s to %q", response.Status, response.Header.Get("Location"))
	}
	eventually(t, "the other frontend shows the entry", func() bool { return other.shows("Hello from Ada") })
}

func TestPageEscapesWhatVisitorsWrite(t *testing.T) {
	store, _, _ := startPair(t)
	site := startSite(t, store)
	entry := `<script>alert("1")</script>, 100%2C & 'more'`
	site.sign(entry)
	eventually(t, "the entry is stored as one", func() bool {
		entries, err := store.Entries(t.Context(), messages)
		return err == nil && slices.Equal(entries, []string{entry})
	})
	response, body := site.get("/")
	if strings.Contains(body, "<script>alert") || !strings.Contains(body, "&lt;script&gt;alert") {
		t.Error(body)
	}
	if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "script-src 'self'") {
		t.Errorf("policy %q", policy)
	}
}

func TestPageNamesTheFrontendThatServedIt(t *testing.T) {
	store, _, _ := startPair(t)
	response, body := startSite(t, store).get("/")
	if !strings.Contains(body, `<code id="served-by">frontend-1</code>`) || response.Header.Get("X-Served-By") != "frontend-1" {
		t.Error(body)
	}
}

func TestApiOfTheOriginalSetsAndGets(t *testing.T) {
	store, _, _ := startPair(t)
	site := startSite(t, store)
	if status, answer := site.api(url.Values{"cmd": {"get"}, "key": {"messages"}}); status != 200 || answer["data"] != "" {
		t.Fatalf("%d %v", status, answer)
	}
	status, answer := site.api(url.Values{"cmd": {"set"}, "key": {"messages"}, "value": {",one,two"}})
	if status != http.StatusOK || answer["message"] != "Updated" {
		t.Fatalf("%d %v", status, answer)
	}
	eventually(t, "the value is read back", func() bool {
		status, answer := site.api(url.Values{"cmd": {"get"}, "key": {"messages"}})
		return status == http.StatusOK && answer["data"] == ",one,two"
	})
	if !site.shows("one") || !site.shows("two") {
		t.Error("the page does not show what the interface has set")
	}
}

func TestManyVisitorsAtOnceLoseNoEntry(t *testing.T) {
	store, _, _ := startPair(t)
	site := startSite(t, store)
	const visitors = 40
	var group sync.WaitGroup
	for number := range visitors {
		group.Go(func() {
			site.send("POST", "/", url.Values{"entry": {fmt.Sprint("visitor ", number)}}, "application/json")
		})
	}
	group.Wait()
	eventually(t, "every entry is there", func() bool {
		entries, err := store.Entries(t.Context(), messages)
		return err == nil && len(entries) == visitors
	})
}

func TestWrongInputSaysWhy(t *testing.T) {
	store, _, _ := startPair(t)
	site := startSite(t, store)
	for _, entry := range []string{"", "  ", strings.Repeat("é", maximumEntry+1)} {
		response, body := site.sign(entry)
		if response.StatusCode != http.StatusBadRequest || !strings.Contains(body, "Please write") {
			t.Errorf("%q: %s", entry, response.Status)
		}
	}
	for _, query := range []url.Values{{}, {"cmd": {"get"}}, {"cmd": {"drop"}, "key": {"messages"}}} {
		if status, answer := site.api(query); status != http.StatusBadRequest || answer["error"] == "" {
			t.Errorf("%v: %d %v", query, status, answer)
		}
	}
	if response, _ := site.get("/elsewhere"); response.StatusCode != http.StatusNotFound {
		t.Error(response.Status)
	}
}

func TestWithoutMasterThePageReadsAndWritingIsA503ThatKeepsWhatWasTyped(t *testing.T) {
	store, stopMaster, _ := startPair(t)
	site := startSite(t, store)
	stopMaster()
	master := store.master.Options().Addr
	response, body := site.sign("precious words")
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "writing to "+master) ||
		!strings.Contains(body, `value="precious words"`) {
		t.Errorf("%s %s", response.Status, body)
	}
	response, body = site.send("POST", "/", url.Values{"entry": {"x"}}, "application/json")
	if response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "writing to "+master) {
		t.Errorf("%s %s", response.Status, body)
	}
	if response, _ := site.get("/"); response.StatusCode != http.StatusOK {
		t.Errorf("reading: %s", response.Status)
	}
	if status, answer := site.api(url.Values{"cmd": {"set"}, "key": {"a"}, "value": {"b"}}); status != 503 || answer["error"] == "" {
		t.Errorf("%d %v", status, answer)
	}
}

func TestWithoutSlaveReadingIsA503AndTheProcessIsStillHealthy(t *testing.T) {
	store, _, stopSlave := startPair(t)
	site := startSite(t, store)
	if response, body := site.get("/readyz"); response.StatusCode != http.StatusOK {
		t.Errorf("%s %s", response.Status, body)
	}
	stopSlave()
	slave := store.slave.Options().Addr
	for _, path := range []string{"/", "/guestbook.php?cmd=get&key=messages", "/readyz"} {
		if response, body := site.get(path); response.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, slave) {
			t.Errorf("%s: %s %s", path, response.Status, body)
		}
	}
	if response, _ := site.get("/healthz"); response.StatusCode != http.StatusOK {
		t.Error(response.Status)
	}
}
