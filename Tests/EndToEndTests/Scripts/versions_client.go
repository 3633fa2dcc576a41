// The client of versions.py in Go. It reads requests, a line each, and writes what it saw of the answers; versions_client.mjs says how.
//
// Usage: versions_client tls|prior URL FILE
package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

const timeout = 20 * time.Second

func main() {
	mode, base, file := os.Args[1], os.Args[2], os.Args[3]
	client := &http.Client{
		Timeout:   timeout,
		Transport: transport(mode),
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	lines, err := os.ReadFile(file)
	check(err)
	for _, line := range strings.Split(strings.TrimRight(string(lines), "\n"), "\n") {
		parts := strings.Split(line, "\t")
		fmt.Println("case", parts[0])
		if err := ask(client, base, parts); err != nil {
			fmt.Println("error", err)
		}
	}
}

func transport(mode string) http.RoundTripper {
	if mode == "prior" {
		// Where it would begin TLS, it begins HTTP/2 at once.
		return &http2.Transport{
			AllowHTTP:          true,
			DisableCompression: true,
			DialTLS: func(network, address string, _ *tls.Config) (net.Conn, error) {
				return net.DialTimeout(network, address, timeout)
			},
		}
	}
	pem, err := os.ReadFile(os.Getenv("CA_FILE"))
	check(err)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(pem)
	return &http.Transport{
		ForceAttemptHTTP2:  true,
		DisableCompression: true,
		TLSClientConfig:    &tls.Config{RootCAs: trusted},
	}
}

func ask(client *http.Client, base string, parts []string) error {
	var body io.Reader
	if parts[3] != "-" {
		bytesOfBody, err := os.ReadFile(parts[3])
		check(err)
		body = bytes.NewReader(bytesOfBody)
	}
	request, err := http.NewRequest(parts[1], base+parts[2], body)
	if err != nil {
		return err
	}
	for _, field := range parts[4:] {
		name, value, _ := strings.Cut(field, "=")
		request.Header.Add(name, value)
	}
	request = request.WithContext(httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(status int, header textproto.MIMEHeader) error {
			fmt.Println("informational", status)
			write("hint", http.Header(header))
			return nil
		},
	}))
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	fmt.Println("version", response.ProtoMajor)
	fmt.Println("status", response.StatusCode)
	write("field", response.Header)
	write("trailer", response.Trailer)
	fmt.Println("body", base64.StdEncoding.EncodeToString(content))
	return nil
}

func write(kind string, fields http.Header) {
	for name, values := range fields {
		for _, value := range values {
			fmt.Println(kind, name, base64.StdEncoding.EncodeToString([]byte(value)))
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
