package sluice

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// OutboxLimits says how much may wait, and for how long. What is zero is as it is unless told.
type OutboxLimits struct {
	// Items is how many publications may wait or be unanswered; 1,000 unless told.
	Items int
	// Bytes is their size together, as they are sent; 4 MiB unless told.
	Bytes int
	// Age is how long one may wait that was never sent; 10 minutes unless told.
	Age time.Duration
}

func (l OutboxLimits) orUsual() OutboxLimits {
	if l.Items == 0 {
		l.Items = 1_000
	}
	if l.Bytes == 0 {
		l.Bytes = 4 << 20
	}
	if l.Age == 0 {
		l.Age = 10 * time.Minute
	}
	return l
}

// Scope is within what a repetition is found out: the publisher, and the room's history where the room is joined. A
// repetition that is sent within another is delivered a second time.
type Scope struct {
	Publisher string `json:"publisher"`
	Epoch     string `json:"epoch,omitempty"`
}

// Item is a publication that waits, or is unanswered.
type Item struct {
	ID          string          `json:"id"`
	Room        string          `json:"room"`
	Event       string          `json:"event"`
	Data        json.RawMessage `json:"data"`
	Attachments []string        `json:"attachments,omitempty"`
	Echo        bool            `json:"echo"`
	// Bytes is its size as it is sent.
	Bytes int `json:"bytes"`
	// At is when the application published it.
	At time.Time `json:"at"`
	// Sent is when it was sent for the first time, since when it may be stored; nil where it was not.
	Sent *time.Time `json:"sent,omitempty"`
	// Scope is where it was sent; nil where nobody finds a repetition out, as in a room without history.
	Scope *Scope `json:"scope,omitempty"`
}

// gate says whether a room's publications can go out, and within which scope.
type gate func(room string) (scope *Scope, open bool)

type failed struct {
	item *Item
	err  *Error
}

// turn is what is to be done: send these, in this order, and tell of those that failed. The next is due at the latest then.
type turn struct {
	send   []*Item
	failed []failed
	at     time.Time
}

// A fleet finds repetitions out for two minutes after it has stored the first. An item is stored at the earliest when it
// is sent first, and a repetition has to arrive in time.
const foundOut = 110 * time.Second

// lane has the publications for one room. Only the first is ever on its way, so that a refusal cannot change their order.
type lane struct {
	items     []*Item
	pauses    backoff
	onItsWay  bool
	notBefore time.Time
}

// outbox decides what is published when. It sends nothing, keeps nothing and reads no clock.
type outbox struct {
	limits OutboxLimits
	lanes  map[string]*lane
	items  int
	bytes  int
}

func newOutbox(limits OutboxLimits) outbox {
	return outbox{limits: limits.orUsual(), lanes: map[string]*lane{}}
}

// all has what waits or is unanswered; those of one room in their order.
func (o *outbox) all() []*Item {
	var all []*Item
	for _, room := range o.rooms() {
		all = append(all, o.lanes[room].items...)
	}
	return all
}

// rooms has them in an order that is the same each time.
func (o *outbox) rooms() []string {
	rooms := make([]string, 0, len(o.lanes))
	for room := range o.lanes {
		rooms = append(rooms, room)
	}
	slices.Sort(rooms)
	return rooms
}

// add takes a publication, or says why not.
func (o *outbox) add(item *Item) *Error {
	if o.items >= o.limits.Items || o.bytes+item.Bytes > o.limits.Bytes {
		waits := fmt.Sprintf("%d publications of %d bytes wait", o.items, o.bytes)
		return &Error{Code: "outbox_full", Message: waits + "; publish again when some of them are sent"}
	}
	o.restore(item)
	return nil
}

// restore takes a publication that was kept over a restart.
func (o *outbox) restore(item *Item) {
	own := o.lanes[item.Room]
	if own == nil {
		own = &lane{pauses: backoff{first: time.Second, longest: 30 * time.Second}}
		o.lanes[item.Room] = own
	}
	own.items = append(own.items, item)
	o.items++
	o.bytes += item.Bytes
}

// turn says what is to be done now.
func (o *outbox) turn(now time.Time, open gate) turn {
	next := turn{failed: o.overdue(now)}
	due := func(at time.Time) {
		if next.at.IsZero() || at.Before(next.at) {
			next.at = at
		}
	}
	for _, room := range o.rooms() {
		own := o.lanes[room]
		if !own.onItsWay {
			if item := o.next(own, now, open, &next.failed); item != nil {
				next.send = append(next.send, item)
			}
		}
		for _, left := range own.items {
			due(o.until(left))
		}
		if len(own.items) > 0 && !own.onItsWay && own.notBefore.After(now) {
			due(own.notBefore)
		}
	}
	return next
}

// settle: it is stored, refused for good, or not wanted any more. It tells whether it was there.
func (o *outbox) settle(item *Item) bool {
	own := o.lanes[item.Room]
	if own == nil || !slices.Contains(own.items, item) {
		return false
	}
	if own.items[0] == item {
		own.onItsWay = false
	}
	own.pauses.reset()
	own.notBefore = time.Time{}
	o.remove(own, item)
	return true
}

// refused: the gateway has refused it with this code. It tells whether it stays, to be sent again after a pause.
func (o *outbox) refused(item *Item, code string, now time.Time, random float64) bool {
	own := o.lanes[item.Room]
	if own == nil || len(own.items) == 0 || own.items[0] != item || !passes(code) {
		return false
	}
	own.onItsWay = false
	own.notBefore = now.Add(own.pauses.next(random, 200*time.Millisecond))
	// A refusal for being too fast says that it was not taken; the others leave that open.
	if code != "overloaded" && code != "backbone_unavailable" && code != "disconnected" {
		item.Sent, item.Scope = nil, nil
	}
	return true
}

// disconnected: what is on its way is not answered any more. It returns what nobody could find out the repetition of; and,
// where the gateway has closed because a message was too large, the largest, which would end the next connection as well.
func (o *outbox) disconnected(becauseTooLarge bool) []failed {
	var lost []failed
	if becauseTooLarge {
		lost = o.failLargest()
	}
	for _, room := range o.rooms() {
		own := o.lanes[room]
		if own == nil {
			continue
		}
		if own.onItsWay && len(own.items) > 0 && own.items[0].Scope == nil {
			lost = append(lost, o.fail(own, own.items[0], inDoubt()))
		}
		own.onItsWay = false
		own.notBefore = time.Time{}
	}
	return lost
}

func (o *outbox) failLargest() []failed {
	var largest *lane
	for _, room := range o.rooms() {
		own := o.lanes[room]
		if own.onItsWay && len(own.items) > 0 && (largest == nil || own.items[0].Bytes > largest.items[0].Bytes) {
			largest = own
		}
	}
	if largest == nil {
		return nil
	}
	largest.onItsWay = false
	why := &Error{Code: "message_too_large", Message: "the gateway takes no message so large; publish less at once"}
	return []failed{o.fail(largest, largest.items[0], why)}
}

func (o *outbox) next(own *lane, now time.Time, open gate, lost *[]failed) *Item {
	for len(own.items) > 0 {
		item := own.items[0]
		if own.notBefore.After(now) {
			return nil
		}
		scope, isOpen := open(item.Room)
		if !isOpen {
			return nil
		}
		if item.Sent != nil && !isFoundOut(item.Scope, scope) {
			*lost = append(*lost, o.fail(own, item, inDoubt()))
			continue
		}
		if item.Sent == nil {
			item.Sent = &now
		}
		if scope != nil {
			item.Scope = scope
		}
		own.onItsWay = true
		return item
	}
	return nil
}

func (o *outbox) overdue(now time.Time) []failed {
	var lost []failed
	for _, room := range o.rooms() {
		own := o.lanes[room]
		for _, item := range slices.Clone(own.items) {
			if o.until(item).After(now) {
				continue
			}
			if own.items[0] == item {
				own.onItsWay = false
			}
			why := inDoubt()
			if item.Sent == nil {
				why = expired()
			}
			lost = append(lost, o.fail(own, item, why))
		}
	}
	return lost
}

func (o *outbox) until(item *Item) time.Time {
	if item.Sent == nil {
		return item.At.Add(o.limits.Age)
	}
	return item.Sent.Add(foundOut)
}

func (o *outbox) fail(own *lane, item *Item, why *Error) failed {
	o.remove(own, item)
	return failed{item, why}
}

func (o *outbox) remove(own *lane, item *Item) {
	own.items = slices.DeleteFunc(own.items, func(one *Item) bool { return one == item })
	o.items--
	o.bytes -= item.Bytes
	if len(own.items) == 0 && own.notBefore.IsZero() {
		delete(o.lanes, item.Room)
	}
}

// isFoundOut tells whether what was sent within one scope is found out to be a repetition in the other.
func isFoundOut(sent, now *Scope) bool {
	if sent == nil || now == nil || sent.Publisher != now.Publisher {
		return false
	}
	return sent.Epoch == "" || now.Epoch == "" || sent.Epoch == now.Epoch
}

func inDoubt() *Error {
	return &Error{Code: "in_doubt", Message: "it was sent, and no answer came; look in the room's history whether it is there before you publish it again"}
}

func expired() *Error {
	return &Error{Code: "expired", Message: "it could not be sent before its age limit; publish it again if it is still of use"}
}
