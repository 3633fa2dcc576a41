// Calls the service of grpc_calls.py from Go, with messages that are bytes here, and prints what comes back, one line for each
// call. The argument is the address.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Messages as they are on the wire.
type raw struct{}

func (raw) Marshal(value interface{}) ([]byte, error) { return *value.(*[]byte), nil }
func (raw) Unmarshal(data []byte, value interface{}) error {
	*value.(*[]byte) = append([]byte{}, data...)
	return nil
}
func (raw) Name() string { return "proto" }

// A Note with a text and a number below 128.
func note(text string, number byte) *[]byte {
	message := append([]byte{0x0A, byte(len(text))}, text...)
	if number > 0 {
		message = append(message, 0x10, number)
	}
	return &message
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	connection, err := grpc.DialContext(ctx, os.Args[1], grpc.WithInsecure(), grpc.WithBlock(), grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	if err != nil {
		fmt.Println("dial", err)
		os.Exit(1)
	}
	var answer []byte
	var trailer metadata.MD
	err = connection.Invoke(ctx, "/demo.Notes/Get", note("go", 3), &answer, grpc.Trailer(&trailer))
	fmt.Println("get", err, fmt.Sprintf("%x", answer), trailer.Get("x-count"), fmt.Sprintf("%x", trailer.Get("x-seen-bin")))
	err = connection.Invoke(ctx, "/demo.Notes/Fail", note("go", 0), &answer)
	fmt.Println("fail", status.Code(err), status.Convert(err).Message())
	all := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	list, err := connection.NewStream(ctx, all, "/demo.Notes/List")
	if err == nil {
		err = list.SendMsg(note("go", 4))
	}
	if err == nil {
		err = list.CloseSend()
	}
	count := 0
	for err == nil {
		if err = list.RecvMsg(&answer); err == nil {
			count++
		}
	}
	fmt.Println("list", err == io.EOF, count)
	chat, err := connection.NewStream(ctx, all, "/demo.Notes/Chat")
	for number := byte(1); err == nil && number < 4; number++ {
		if err = chat.SendMsg(note("go", number)); err == nil {
			if err = chat.RecvMsg(&answer); err == nil {
				fmt.Println("chat", fmt.Sprintf("%x", answer))
			}
		}
	}
	if err == nil {
		chat.CloseSend()
		err = chat.RecvMsg(&answer)
	}
	fmt.Println("chat", err)
}
