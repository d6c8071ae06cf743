// A database at its baseline for every test of a package: copy this file into it, and run
// `afresh run -- go test ./...`. Each package is a process of its own, and leases a database of its own.
package shop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
)

// Lease is a database, which is leased until the connection of this process ends.
type Lease struct {
	ID  string            `json:"id"`
	URL string            `json:"url"`
	Env map[string]string `json:"env"`
}

var database Lease

// One connection, which is never closed for being idle: the lease ends with it.
var afresh = &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}

func TestMain(m *testing.M) {
	if err := ask("POST", "/v1/leases", map[string]any{"client": os.Args[0], "endsWithConnection": true}, &database); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for name, value := range database.Env {
		os.Setenv(name, value)
	}
	code := m.Run()
	if err := ask("DELETE", "/v1/leases/"+database.ID, nil, nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// ResetAfter returns the database to its baseline when the test is over. Tests that call it cannot be parallel.
func ResetAfter(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		if err := ask("POST", "/v1/leases/"+database.ID+"/reset", map[string]any{"test": t.Name()}, nil); err != nil {
			t.Error(err)
		}
	})
}

func ask(method, path string, body, answer any) error {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, os.Getenv("AFRESH_SERVER")+path, sent)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("AFRESH_TOKEN"))
	request.Header.Set("Content-Type", "application/json")
	response, err := afresh.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 400 {
		return fmt.Errorf("afresh: %s", text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
