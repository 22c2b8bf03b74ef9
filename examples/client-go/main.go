// Command client-go is a chat in the terminal: what is typed goes to the room, and what others say is shown. GATEWAY_URL
// and TOKEN say where and who; ROOM is the lobby unless it is given, and OUTBOX a file for what waits.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	sluice "sluice.dev/client"
)

func setting(name, usual string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return usual
}

func show(m sluice.Message) {
	var data struct{ Text string }
	if m.Decode(&data) == nil {
		fmt.Printf("%s: %s\n", m.Meta.From, data.Text)
	}
}

func main() {
	options := sluice.Options{}
	if token := os.Getenv("TOKEN"); token != "" {
		// A real application asks its own server here.
		options.GetToken = func(context.Context, sluice.TokenReason) (string, error) { return token, nil }
	}
	if path := os.Getenv("OUTBOX"); path != "" {
		options.Store = sluice.FileStore(path)
	}
	client, err := sluice.New(setting("GATEWAY_URL", "http://localhost:3000"), options)
	if err != nil {
		log.Fatal(err)
	}
	client.OnState(func(state sluice.ClientState) { fmt.Printf("— %s (%s) —\n", state.State, state.Reason) })
	room := client.Room(setting("ROOM", "lobby"))
	if err := client.Connect(context.Background()); err != nil {
		log.Fatal(err)
	}
	room.On("message", show)

	var waiting sync.WaitGroup
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		told := room.Enqueue("message", map[string]string{"text": lines.Text()})
		waiting.Add(1)
		go func() {
			defer waiting.Done()
			if settled := <-told; settled.Err != nil {
				fmt.Printf("— not sent: %v —\n", settled.Err)
			}
		}()
	}
	waiting.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = client.Close(ctx)
}
