package sluice_test

import (
	"context"
	"fmt"
	"time"

	sluice "sluice.dev/client"
)

func Example() {
	client, err := sluice.New("http://localhost:3000", sluice.Options{})
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	defer client.Close(ctx)

	room := client.Room("lobby")
	room.On("message", func(m sluice.Message) { fmt.Printf("%s: %s\n", m.Meta.From, m.Data) })
	receipt, err := room.Publish(ctx, "message", map[string]string{"text": "hello"})
	if err != nil {
		panic(err)
	}
	fmt.Println("taken as", receipt.ID)
}

func ExampleRoom_History() {
	client, err := sluice.New("http://localhost:3000", sluice.Options{})
	if err != nil {
		panic(err)
	}
	for message, err := range client.Room("lobby").History(context.Background(), sluice.HistoryOptions{Limit: 50}) {
		if err != nil {
			panic(err)
		}
		var data struct{ Text string }
		if message.Decode(&data) == nil {
			fmt.Println(message.Meta.From, data.Text)
		}
	}
}

func ExampleWithAttachments() {
	client, err := sluice.New("http://localhost:3000", sluice.Options{})
	if err != nil {
		panic(err)
	}
	face := []byte{0x89, 'P', 'N', 'G'}
	data := map[string]any{"name": "ann", "face": sluice.Placeholder{Num: 0}}
	client.Room("lobby").Enqueue("face", data, sluice.WithAttachments(face))
}
