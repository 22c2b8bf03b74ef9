package sluice

import (
	"encoding/base64"
	"encoding/json"
	"time"
)

// Meta is what every message says of itself.
type Meta struct {
	ID string
	// Time is when the gateway took it.
	Time time.Time
	// Room is empty for messages to a user or to everybody.
	Room string
	// From is the publishing user; empty for a backend and for a session without a token.
	From string
	// Offset is its place in the room's history; nil where the room has none.
	Offset *uint64
}

// Message is a message as a listener gets it.
type Message struct {
	Event string
	// Data is JSON. Where it has binary data, a [Placeholder] stands for each of the attachments.
	Data        json.RawMessage
	Attachments [][]byte
	Meta        Meta
}

// Decode reads the data into what v points to, as [json.Unmarshal] does.
func (m Message) Decode(v any) error { return json.Unmarshal(m.Data, v) }

// Placeholder stands in the data of a message for an attachment, by its place among them: JSON has no bytes, so they
// travel beside it.
type Placeholder struct {
	Num int
}

type placeholder struct {
	IsPlaceholder bool `json:"_placeholder"`
	Num           int  `json:"num"`
}

// MarshalJSON writes it as the protocol has it.
func (p Placeholder) MarshalJSON() ([]byte, error) { return json.Marshal(placeholder{true, p.Num}) }

// UnmarshalJSON reads it.
func (p *Placeholder) UnmarshalJSON(text []byte) error {
	var read placeholder
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	p.Num = read.Num
	return nil
}

// request is a request as it is sent, without its id.
type request map[string]any

// frame is whatever a gateway sends: an answer, which has ok, or an event.
type frame struct {
	ID    json.RawMessage `json:"id"`
	OK    *bool           `json:"ok"`
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
	Meta  *wireMeta       `json:"meta"`
	// The position in an event, the offset of a room or a message in an answer.
	Offset      json.RawMessage `json:"offset"`
	Attachments []string        `json:"attachments"`
	answerFields
}

type answerFields struct {
	Error        *struct{ Code, Message string } `json:"error"`
	Session      string                          `json:"session"`
	User         *string                         `json:"user"`
	Pid          string                          `json:"pid"`
	Recovered    bool                            `json:"recovered"`
	PingInterval *float64                        `json:"pingInterval"`
	Epoch        string                          `json:"epoch"`
	Messages     []frame                         `json:"messages"`
	More         bool                            `json:"more"`
	Users        []string                        `json:"users"`
	Count        int                             `json:"count"`
}

type answer struct{ frame }

type wireMeta struct {
	Room   string  `json:"room"`
	From   string  `json:"from"`
	ID     string  `json:"id"`
	Offset *uint64 `json:"offset"`
	Time   int64   `json:"time"`
}

// refusal is the answer to what could not be asked.
func refusal(code, message string) answer {
	no := false
	var a answer
	a.OK = &no
	a.Error = &struct{ Code, Message string }{code, message}
	return a
}

// err is the refusal; nil where all went well.
func (a answer) err() *Error {
	switch {
	case a.OK != nil && *a.OK:
		return nil
	case a.Error == nil:
		return &Error{Code: "refused", Message: "the gateway refused"}
	default:
		return &Error{Code: a.Error.Code, Message: a.Error.Message}
	}
}

// place is the offset of an answer.
func (a answer) place() *uint64 {
	var offset uint64
	if json.Unmarshal(a.Offset, &offset) != nil {
		return nil
	}
	return &offset
}

// message is an event as the application gets it.
func (f *frame) message() Message {
	m := Message{Event: f.Event, Data: f.Data}
	if f.Meta != nil {
		m.Meta = Meta{f.Meta.ID, time.UnixMilli(f.Meta.Time), f.Meta.Room, f.Meta.From, f.Meta.Offset}
	}
	for _, text := range f.Attachments {
		// What cannot be read is left empty, so that the others keep their places.
		bytes, _ := base64.StdEncoding.DecodeString(text)
		m.Attachments = append(m.Attachments, bytes)
	}
	return m
}
