package sluice

import (
	"encoding/json"
	"slices"
)

// Present says who is in a room. Beyond 1000 users Users has a part of them, and Count counts all.
type Present struct {
	// Users has their names, sorted.
	Users []string
	Count int
}

// Presence is who is in a room, kept up to date: a snapshot, then those who come and go.
type Presence struct {
	room    *Room
	release func()
	users   map[string]bool
	count   int
	// Changes that came while a snapshot was asked for.
	early    []presenceChange
	waits    bool
	onChange listeners[Present]
}

type presenceChange struct {
	Room   string   `json:"room"`
	Joined []string `json:"joined"`
	Left   []string `json:"left"`
}

// Now returns who is there, as far as it is known by now.
func (p *Presence) Now() Present {
	p.room.client.mu.Lock()
	defer p.room.client.mu.Unlock()
	return p.present()
}

// OnChange calls f after each change, until the returned function is called.
func (p *Presence) OnChange(f func(Present)) (stop func()) {
	return p.room.client.listen(func() func() { return p.onChange.add(f) })
}

// Close ends it: nothing changes any more, and the room is left if nothing else holds it.
func (p *Presence) Close() { p.release() }

func (p *Presence) present() Present {
	users := make([]string, 0, len(p.users))
	for user := range p.users {
		users = append(users, user)
	}
	slices.Sort(users)
	return Present{users, p.count}
}

func (p *Presence) asked() { p.waits = true }

func (p *Presence) snapshot(a answer) {
	p.users = map[string]bool{}
	for _, user := range a.Users {
		p.users[user] = true
	}
	p.count = a.Count
	early := p.early
	p.early, p.waits = nil, false
	for _, change := range early {
		p.apply(change)
	}
	p.onChange.tell(&p.room.client.dispatcher, p.present())
}

func (p *Presence) changed(data json.RawMessage) {
	var change presenceChange
	if json.Unmarshal(data, &change) != nil {
		return
	}
	if p.waits {
		p.early = append(p.early, change)
		return
	}
	p.apply(change)
	p.onChange.tell(&p.room.client.dispatcher, p.present())
}

func (p *Presence) apply(change presenceChange) {
	for _, user := range change.Left {
		if p.users[user] {
			delete(p.users, user)
			p.count--
		}
	}
	for _, user := range change.Joined {
		if !p.users[user] {
			p.users[user] = true
			p.count++
		}
	}
}
