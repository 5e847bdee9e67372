// Command client runs the cases on standard input by the stubs for Go, and
// writes an outcome a line.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	livecallsv1 "github.com/livecalls/livecalls/generated/go/livecalls/v1"
)

const serviceConfig = `{
	"methodConfig": [{
		"name": [{"service": "livecalls.v1.LiveCalls"}],
		"retryPolicy": {
			"maxAttempts": 4,
			"initialBackoff": "0.05s",
			"maxBackoff": "0.5s",
			"backoffMultiplier": 2,
			"retryableStatusCodes": ["UNAVAILABLE"]
		}
	}]
}`

type target struct {
	Address string  `json:"address"`
	CA      *string `json:"ca"`
}

type errand struct {
	Targets map[string]target `json:"targets"`
	Cases   []struct {
		Name          string  `json:"name"`
		Target        string  `json:"target"`
		ID            string  `json:"id"`
		Token         *string `json:"token"`
		TimeoutMS     *int    `json:"timeout_ms"`
		CancelAfterMS *int    `json:"cancel_after_ms"`
	} `json:"cases"`
}

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	var asked errand
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	clients := make(map[string]livecallsv1.LiveCallsClient)
	for name, target := range asked.Targets {
		connection, err := dial(target)
		if err != nil {
			return err
		}
		defer connection.Close()
		clients[name] = livecallsv1.NewLiveCallsClient(connection)
	}
	out := json.NewEncoder(os.Stdout)
	for _, c := range asked.Cases {
		ctx, cancel := callContext(c.Token, c.TimeoutMS, c.CancelAfterMS)
		call, err := clients[c.Target].GetCall(ctx, &livecallsv1.GetCallRequest{Id: c.ID})
		cancel()
		outcome := outcome{Name: c.Name}
		if err != nil {
			outcome.Error = seeError(err)
		} else if outcome.Call, err = seeCall(call); err != nil {
			return err
		}
		if err := out.Encode(outcome); err != nil {
			return err
		}
	}
	return nil
}

func dial(target target) (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if target.CA != nil {
		var err error
		if transport, err = credentials.NewClientTLSFromFile(*target.CA, ""); err != nil {
			return nil, err
		}
	}
	return grpc.NewClient(
		target.Address,
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig),
	)
}

// What a call is made with: a token, a deadline, and when its caller cancels.
func callContext(token *string, timeoutMS, cancelAfterMS *int) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	if token != nil {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+*token)
	}
	if cancelAfterMS != nil {
		time.AfterFunc(milliseconds(*cancelAfterMS), cancel)
	}
	if timeoutMS == nil {
		return ctx, cancel
	}
	ctx, timedOut := context.WithTimeout(ctx, milliseconds(*timeoutMS))
	return ctx, func() { timedOut(); cancel() }
}

func milliseconds(number int) time.Duration {
	return time.Duration(number) * time.Millisecond
}
