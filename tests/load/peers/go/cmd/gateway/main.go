// Command gateway is the REST API that grpc-gateway generates from the contract,
// in front of the gRPC server at GRPC_ADDRESS.
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"

	rest "livecalls/peers/gen/livecalls/v1"
)

func main() {
	if err := serve(); err != nil && !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func serve() error {
	ended, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	mux := runtime.NewServeMux(runtime.WithMarshalerOption(runtime.MIMEWildcard, marshaler()))
	dial := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if err := rest.RegisterLiveCallsHandlerFromEndpoint(ended, mux, os.Getenv("GRPC_ADDRESS"), dial); err != nil {
		return err
	}
	server := http.Server{
		Addr:    net.JoinHostPort("127.0.0.1", os.Getenv("PORT")),
		Handler: mux,
	}
	context.AfterFunc(ended, func() { server.Shutdown(context.Background()) })
	return server.ListenAndServe()
}

// The documented names, and null for what is unset; else grpc-gateway's defaults.
func marshaler() runtime.Marshaler {
	return &runtime.JSONPb{
		MarshalOptions: protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true},
	}
}
