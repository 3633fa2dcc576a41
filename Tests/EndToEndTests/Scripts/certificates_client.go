// The client of certificates.py in Go: speaks TLS with a server under each of some names, and says what came of it.
//
// Usage: certificates_client ADDRESS FILE NAME...
//
// It trusts the certificates in FILE, and no others.
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

const timeout = 10 * time.Second

func main() {
	address, names := os.Args[1], os.Args[3:]
	pem, err := os.ReadFile(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(pem) {
		log.Fatal("there is no certificate in " + os.Args[2])
	}
	for _, name := range names {
		status, err := ask(address, name, trusted)
		if err != nil {
			fmt.Printf("%s refused %v\n", name, err)
		} else {
			fmt.Printf("%s accepted %d\n", name, status)
		}
	}
}

func ask(address, name string, trusted *x509.CertPool) (int, error) {
	dialer := &net.Dialer{Timeout: timeout}
	connection, err := tls.DialWithDialer(dialer, "tcp", address, &tls.Config{RootCAs: trusted, ServerName: name})
	if err != nil {
		return 0, err
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(timeout))
	host := name
	if address := net.ParseIP(name); address != nil && address.To4() == nil {
		host = "[" + name + "]"
	}
	fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, nil
}
