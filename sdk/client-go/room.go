package sluice

import (
	"context"
	"iter"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"time"
)

const (
	// So long is a room kept after its last user has gone: parts of a program that are replaced do not leave it.
	linger = 100 * time.Millisecond
	// The most messages of a history that are asked for at once.
	pageSize = 100
)

// RoomState is the state of a room, and why it is in it.
type RoomState struct {
	State RoomPhase
	// Reason is new, wanted, joined, left, disconnected, or the code of a refusal (docs/errors.md).
	Reason string
	// Recovered says, where it was joined again, whether nothing was missed. After false read the history and go on from
	// there; in a room without history it is always false. It is nil where the room was joined for the first time.
	Recovered *bool
}

// Room is a room. It is joined while anybody uses it: each listener, each Join and each Presence counts, and all parts of
// a program share one membership.
type Room struct {
	name      string
	client    *Client
	member    membership
	onMessage listeners[Message]
	byEvent   map[string]*listeners[Message]
	onState   listeners[RoomState]
	presences []*Presence
	users     int
	joins     int
	attempts  int
	told      RoomState
	timer     *timer
	lingering *timer
}

// Name returns its name.
func (r *Room) Name() string { return r.name }

// State returns whether it is joined, and why not.
func (r *Room) State() RoomState {
	r.client.mu.Lock()
	defer r.client.mu.Unlock()
	return r.state()
}

// On calls f with each message of this event. It joins the room; the returned function takes both back.
func (r *Room) On(event string, f func(Message)) (stop func()) {
	return r.client.listen(func() func() {
		own := r.byEvent[event]
		if own == nil {
			own = &listeners[Message]{}
			r.byEvent[event] = own
		}
		return r.use(own.add(f))
	})
}

// OnMessage calls f with each message, whatever its event. It joins the room, as On does.
func (r *Room) OnMessage(f func(Message)) (stop func()) {
	return r.client.listen(func() func() { return r.use(r.onMessage.add(f)) })
}

// OnState calls f whenever the room's state changes, and so when it was joined again. It does not join it.
func (r *Room) OnState(f func(RoomState)) (stop func()) {
	return r.client.listen(func() func() { return r.onState.add(f) })
}

// Join joins the room until Leave; it returns when it is joined, and the refusal if it is refused.
func (r *Room) Join(ctx context.Context) error {
	r.client.mu.Lock()
	r.joins++
	r.hold()
	r.client.mu.Unlock()
	err := r.client.until(ctx, func() (bool, error) {
		if r.member.phase == Unsubscribed {
			reason := r.member.reason
			return false, &Error{Code: reason, Message: "the room " + r.name + " could not be joined: " + reason}
		}
		return r.member.phase == Joined, nil
	})
	if err != nil {
		r.Leave()
	}
	return err
}

// Leave takes one Join back.
func (r *Room) Leave() {
	r.client.mu.Lock()
	defer r.client.mu.Unlock()
	if r.joins > 0 {
		r.joins--
		r.release()
	}
}

// Publish publishes to the room; one need not have joined it. It waits in the outbox while there is no connection, and
// returns when the gateway has taken it. Where the context ends first, it is taken out of the outbox; if it was sent
// already, the error is in_doubt.
func (r *Room) Publish(ctx context.Context, event string, data any, options ...PublishOption) (Receipt, error) {
	return r.client.publish(ctx, r.name, event, data, options)
}

// Enqueue publishes as Publish does, and returns at once: the channel gets what became of it, once. What one goroutine
// enqueues is sent in its order.
func (r *Room) Enqueue(event string, data any, options ...PublishOption) <-chan Settled {
	_, told := r.client.enqueue(r.name, event, data, options)
	return told
}

// HistoryOptions says which part of a history is read.
type HistoryOptions struct {
	// Before has the newest messages before this offset, and on towards the oldest.
	Before *uint64
	// After has the oldest messages after this offset, and on towards the newest.
	After *uint64
	// Limit is how many at most; all unless given.
	Limit int
}

// History has the messages that the room keeps, a page at a time: without After from the newest to the oldest, with it
// from the oldest to the newest. An error is the last that it yields.
func (r *Room) History(ctx context.Context, options HistoryOptions) iter.Seq2[Message, error] {
	return func(yield func(Message, error) bool) {
		before, after, left := options.Before, options.After, options.Limit
		for left > 0 || options.Limit == 0 {
			count := pageSize
			if options.Limit > 0 {
				count = min(left, pageSize)
			}
			ask := request{"op": "history", "room": r.name, "limit": count}
			if after != nil {
				ask["after"] = *after
			} else if before != nil {
				ask["before"] = *before
			}
			a, err := r.client.askWhenConnected(ctx, ask)
			if err != nil {
				yield(Message{}, err)
				return
			}
			more := a.More || len(a.Messages) == count
			messages := a.Messages
			if after == nil {
				slices.Reverse(messages)
			}
			for i := range messages {
				if !yield(messages[i].message(), nil) {
					return
				}
				left--
			}
			if !more || len(messages) == 0 {
				return
			}
			// The last that was told, in either direction.
			offset := messages[len(messages)-1].message().Meta.Offset
			if after != nil {
				after = offset
			} else {
				before = offset
			}
		}
	}
}

// Presence is who is in the room, kept up to date until it is closed. It joins the room.
func (r *Room) Presence() *Presence {
	r.client.mu.Lock()
	defer r.client.mu.Unlock()
	p := &Presence{room: r, users: map[string]bool{}}
	release := r.use(func() {
		r.presences = slices.DeleteFunc(r.presences, func(one *Presence) bool { return one == p })
	})
	p.release = func() {
		r.client.mu.Lock()
		defer r.client.mu.Unlock()
		release()
	}
	r.presences = append(r.presences, p)
	if r.member.phase == Joined {
		r.askPresence()
	}
	return p
}

func (r *Room) state() RoomState {
	return RoomState{r.member.phase, r.member.reason, r.member.recovered}
}

func (r *Room) came(f *frame) {
	m := f.message()
	if !r.member.takes(m.Meta.Offset) {
		return
	}
	if own := r.byEvent[m.Event]; own != nil {
		own.tell(&r.client.dispatcher, m)
	}
	r.onMessage.tell(&r.client.dispatcher, m)
}

// use holds the room until the returned function is called, under the client's lock too.
func (r *Room) use(remove func()) (release func()) {
	r.hold()
	return sync.OnceFunc(func() {
		remove()
		r.release()
	})
}

func (r *Room) hold() {
	r.users++
	stopTimer(r.lingering)
	over := r.client.begin()
	r.do(r.member.want(true))
	if over != "" {
		r.member.over(over)
		r.changed()
	}
}

func (r *Room) release() {
	r.users--
	if r.users == 0 {
		r.lingering = r.client.after(linger, func() {
			if r.users == 0 {
				r.do(r.member.want(false))
			}
		})
	}
}

func (r *Room) do(next step) {
	if next != nil {
		stopTimer(r.timer)
	}
	r.changed()
	switch next := next.(type) {
	case join:
		r.join(next)
	case leave:
		r.client.session.call(request{"op": "leave", "room": r.name}, func(answer) {})
	case wait:
		r.timer = r.client.after(next.pause, func() { r.do(r.member.waited()) })
	}
}

func (r *Room) join(from join) {
	r.attempts++
	attempt := r.attempts
	ask := request{"op": "join", "room": r.name}
	if from.epoch != "" {
		ask["after"], ask["epoch"] = from.after, from.epoch
	}
	r.client.session.call(ask, func(a answer) {
		err := a.err()
		// It was left and joined again meanwhile, or is joined again once the connection is back.
		if attempt != r.attempts || (err != nil && err.Code == "disconnected") {
			return
		}
		r.do(r.member.answered(a, rand.Float64()))
		if r.member.phase == Joined {
			r.askPresence()
		}
	})
}

func (r *Room) askPresence() {
	asked := slices.Clone(r.presences)
	if len(asked) == 0 {
		return
	}
	for _, p := range asked {
		p.asked()
	}
	r.client.session.call(request{"op": "presence", "room": r.name}, func(a answer) {
		err := a.err()
		if err == nil {
			for _, p := range asked {
				p.snapshot(a)
			}
		} else if passes(err.Code) && err.Code != "disconnected" {
			r.client.after(time.Second, r.askPresence)
		}
	})
}

func (r *Room) changed() {
	state := r.state()
	if reflect.DeepEqual(state, r.told) {
		return
	}
	r.told = state
	r.onState.tell(&r.client.dispatcher, state)
	r.client.news()
	r.client.soon(r.client.sender.turn)
}
