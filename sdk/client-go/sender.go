package sluice

import (
	"math/rand/v2"
	"slices"
)

// Receipt is what the gateway has said of a publication that it took.
type Receipt struct {
	ID string
	// Offset is its place in the room's history; nil where the room has none.
	Offset *uint64
}

// Settled is what became of a publication: it has a receipt, or an error.
type Settled struct {
	Item    Item
	Receipt *Receipt
	Err     error
}

// sender sends what the outbox decides, and tells everybody what became of it. All of it is under the client's lock; the
// store is used without it, by one goroutine, in order.
type sender struct {
	client   *Client
	outbox   outbox
	promised map[*Item]func(Settled)
	timer    *timer
	opened   bool
	// Whoever publishes while the store is read.
	early []func()
	jobs  []func()
	works bool
}

// open has what was kept from before sent too.
func (s *sender) open() {
	store := s.client.options.Store
	if store == nil || s.opened {
		return
	}
	s.opened = true
	s.early = []func(){}
	s.stored(func() {
		items, err := store.Open()
		s.client.mu.Lock()
		defer s.client.mu.Unlock()
		if err != nil {
			s.client.log("the outbox's store could not be read", err)
		}
		for _, item := range items {
			s.outbox.restore(&item)
		}
		early := s.early
		s.early = nil
		for _, publish := range early {
			publish()
		}
		s.turn()
	})
}

// stored has the store do something, after all that it was asked before.
func (s *sender) stored(job func()) {
	if s.client.options.Store == nil {
		return
	}
	s.jobs = append(s.jobs, job)
	if s.works {
		return
	}
	s.works = true
	go func() {
		for {
			s.client.mu.Lock()
			if len(s.jobs) == 0 {
				s.works = false
				s.client.mu.Unlock()
				return
			}
			next := s.jobs[0]
			s.jobs = s.jobs[1:]
			s.client.mu.Unlock()
			next()
		}
	}()
}

// keep has the store keep an item as it is now, and then goes on, or fails it.
func (s *sender) keep(item *Item, then func()) {
	store := s.client.options.Store
	if store == nil {
		then()
		return
	}
	copied := *item
	s.stored(func() {
		err := store.Put(copied)
		s.client.mu.Lock()
		defer s.client.mu.Unlock()
		if err == nil {
			then()
		} else if s.outbox.settle(item) {
			why := &Error{Code: "store_failed", Message: "the outbox's store failed: " + err.Error(), Cause: err}
			s.settle(Settled{Item: *item, Err: why}, item)
			s.turn()
		}
	})
}

// publish takes a publication; told hears once what became of it.
func (s *sender) publish(item *Item, told func(Settled)) {
	if s.early != nil {
		s.early = append(s.early, func() { s.publish(item, told) })
		return
	}
	if refused := s.outbox.add(item); refused != nil {
		told(Settled{Item: *item, Err: refused})
		return
	}
	s.promised[item] = told
	s.keep(item, s.turn)
}

// abandon takes a publication out. It tells whether it was sent before.
func (s *sender) abandon(item *Item) (sent bool) {
	delete(s.promised, item)
	if s.outbox.settle(item) {
		s.forget(item.ID)
		s.turn()
	}
	return item.Sent != nil
}

// turn sends what can be sent. It is to be called whenever that may have changed.
func (s *sender) turn() {
	at := now()
	next := s.outbox.turn(at, s.client.gate)
	for _, lost := range next.failed {
		s.settle(Settled{Item: *lost.item, Err: lost.err}, lost.item)
	}
	for _, item := range next.send {
		// That it was sent must be known after a restart, whatever becomes of it.
		s.keep(item, func() { s.send(item) })
	}
	stopTimer(s.timer)
	if !next.at.IsZero() {
		s.timer = s.client.after(next.at.Sub(at), s.turn)
	}
	s.client.onOutbox.tell(&s.client.dispatcher, s.outbox.items)
}

func (s *sender) disconnected(becauseTooLarge bool) {
	for _, lost := range s.outbox.disconnected(becauseTooLarge) {
		s.settle(Settled{Item: *lost.item, Err: lost.err}, lost.item)
	}
	s.turn()
}

func (s *sender) send(item *Item) {
	r := request{"op": "publish", "room": item.Room, "event": item.Event, "messageId": item.ID, "echo": item.Echo, "data": item.Data}
	if len(item.Attachments) > 0 {
		r["attachments"] = item.Attachments
	}
	s.client.session.call(r, func(a answer) {
		err := a.err()
		switch {
		case err == nil && s.outbox.settle(item):
			s.settle(Settled{Item: *item, Receipt: &Receipt{item.ID, a.place()}}, item)
		case err == nil, err.Code == "disconnected":
			// The outbox itself was told of the lost connection.
		case s.outbox.refused(item, err.Code, now(), rand.Float64()):
		case s.outbox.settle(item):
			s.settle(Settled{Item: *item, Err: err}, item)
		}
		// Not from within the answer, where more answers may come.
		s.client.soon(s.turn)
	})
}

func (s *sender) settle(settled Settled, item *Item) {
	s.forget(item.ID)
	if told := s.promised[item]; told != nil {
		delete(s.promised, item)
		told(settled)
	}
	s.client.settled(settled)
}

func (s *sender) forget(id string) {
	store := s.client.options.Store
	s.stored(func() {
		if err := store.Remove(id); err != nil {
			s.client.log("the outbox's store could not let a publication go", err)
		}
	})
}

func (s *sender) all() []Item {
	items := make([]Item, 0, s.outbox.items)
	for _, item := range s.outbox.all() {
		items = append(items, *item)
	}
	return slices.Clip(items)
}
