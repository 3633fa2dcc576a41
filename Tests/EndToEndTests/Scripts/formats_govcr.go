// The client of formats_languages.py that records with go-vcr. It reads the steps from its standard input and writes what it saw.
//
// Usage: formats_govcr record|play|plain URL FILE
package main

import (
	"bytes"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"github.com/dnaeon/go-vcr/cassette"
	"github.com/dnaeon/go-vcr/recorder"
)

type step struct {
	Method, Target string
	Fields         map[string]string
	Body           []byte
}

type answer struct {
	Status int         `json:"status"`
	Fields [][2]string `json:"fields"`
	Body   []byte      `json:"body"`
}

func main() {
	mode, base, file := os.Args[1], os.Args[2], strings.TrimSuffix(os.Args[3], ".yaml")
	var steps []step
	check(json.NewDecoder(os.Stdin).Decode(&steps))
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if mode != "plain" {
		kind := recorder.ModeRecording
		if mode == "play" {
			kind = recorder.ModeReplaying
		}
		tape, err := recorder.NewAsMode(file, kind, http.DefaultTransport)
		check(err)
		tape.SetMatcher(func(request *http.Request, recorded cassette.Request) bool {
			var body []byte
			if request.Body != nil {
				body, _ = io.ReadAll(request.Body)
				request.Body = io.NopCloser(bytes.NewReader(body))
			}
			return cassette.DefaultMatcher(request, recorded) && string(body) == recorded.Body
		})
		defer func() { check(tape.Stop()) }()
		client.Transport = tape
	}
	answers := []answer{}
	for _, step := range steps {
		var body io.Reader
		if step.Body != nil {
			body = bytes.NewReader(step.Body)
		}
		request, err := http.NewRequest(step.Method, base+step.Target, body)
		check(err)
		for name, value := range step.Fields {
			request.Header.Set(name, value)
		}
		response, err := client.Do(request)
		check(err)
		content, err := io.ReadAll(response.Body)
		check(err)
		response.Body.Close()
		seen := answer{Status: response.StatusCode, Fields: [][2]string{}, Body: content}
		for name, values := range response.Header {
			for _, value := range values {
				seen.Fields = append(seen.Fields, [2]string{name, value})
			}
		}
		answers = append(answers, seen)
	}
	check(json.NewEncoder(os.Stdout).Encode(answers))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
