// Command kitdriver is the kit's driver for this library: a command a line comes in, and what the client tells goes out, a
// line each.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"sync"

	sluice "sluice.dev/client"
)

type command struct {
	Do, URL, As, Room, Event, ID string
	Tokens                       []string
	Data                         json.RawMessage
	Limit                        int
}

type fields map[string]any

var output sync.Mutex

func tell(what fields) {
	text, err := json.Marshal(what)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	_, _ = os.Stdout.Write(append(text, '\n'))
}

type driver struct {
	client  *sluice.Client
	options command
	stops   map[string]func()
	watched map[string]bool
}

// start makes a client that asks for these tokens by turns, and then says that nobody is signed in.
func start(options command) *sluice.Client {
	left := options.Tokens
	if left == nil {
		left = []string{"t1", "t1", "t1", "t1"}
	}
	getToken := func(_ context.Context, reason sluice.TokenReason) (string, error) {
		tell(fields{"token": reason})
		if len(left) == 0 {
			return "", sluice.ErrUnauthorized
		}
		token := left[0]
		left = left[1:]
		return token, nil
	}
	client, err := sluice.New(options.URL, sluice.Options{GetToken: getToken})
	if err != nil {
		panic(err)
	}
	client.OnState(func(state sluice.ClientState) { tell(fields{"state": state.State, "reason": state.Reason}) })
	return client
}

// room is one of which each state is told.
func (d *driver) room(name string) *sluice.Room {
	room := d.client.Room(name)
	if !d.watched[name] {
		d.watched[name] = true
		room.OnState(func(state sluice.RoomState) {
			told := fields{"room": name, "state": state.State, "reason": state.Reason}
			if state.Recovered != nil {
				told["recovered"] = *state.Recovered
			}
			tell(told)
		})
	}
	return room
}

// settle tells what became of something that takes its time.
func settle(name string, more fields, err error) {
	if err != nil {
		tell(fields{"failed": name, "code": sluice.Code(err)})
		return
	}
	told := fields{"done": name}
	for key, value := range more {
		told[key] = value
	}
	tell(told)
}

func (d *driver) do(c command) {
	ctx := context.Background()
	switch c.Do {
	case "new":
		d.options = c
		d.client = start(c)
	case "another":
		another := start(d.options)
		go func() { _ = another.Connect(ctx) }()
	case "connect":
		if c.As == "" {
			c.As = "connect"
		}
		go func() { settle(c.As, nil, d.client.Connect(ctx)) }()
	case "disconnect":
		d.client.Disconnect()
	case "wake":
		d.client.Wake()
	case "join":
		room := d.room(c.Room)
		go func() { settle(c.As, nil, room.Join(ctx)) }()
	case "listen":
		d.stops[c.As] = d.room(c.Room).On(c.Event, func(m sluice.Message) {
			tell(fields{"message": fields{"room": c.Room, "event": c.Event, "data": m.Data}})
		})
	case "unlisten":
		d.stops[c.As]()
	case "publish":
		d.publish(c)
	case "history":
		room := d.room(c.Room)
		go func() {
			data := []json.RawMessage{}
			for m, err := range room.History(ctx, sluice.HistoryOptions{Limit: c.Limit}) {
				if err != nil {
					settle(c.As, nil, err)
					return
				}
				data = append(data, m.Data)
			}
			settle(c.As, fields{"data": data}, nil)
		}()
	case "presence":
		d.room(c.Room).Presence().OnChange(func(present sluice.Present) {
			tell(fields{"present": c.As, "users": present.Users})
		})
	default:
		panic(c.Do + " is no command")
	}
}

func (d *driver) publish(c command) {
	var options []sluice.PublishOption
	if c.ID != "" {
		options = append(options, sluice.WithID(c.ID))
	}
	told := d.room(c.Room).Enqueue(c.Event, c.Data, options...)
	go func() {
		settled := <-told
		more := fields{}
		if settled.Receipt != nil {
			more["id"] = settled.Receipt.ID
			if settled.Receipt.Offset != nil {
				more["offset"] = *settled.Receipt.Offset
			}
		}
		settle(c.As, more, settled.Err)
	}()
}

func main() {
	d := &driver{stops: map[string]func(){}, watched: map[string]bool{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var c command
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			panic(err)
		}
		d.do(c)
	}
}
