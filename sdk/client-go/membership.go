package sluice

import "time"

// RoomPhase says whether the client is a member of a room.
type RoomPhase string

const (
	// Unsubscribed is a room that nobody uses, or that was refused.
	Unsubscribed RoomPhase = "unsubscribed"
	// Joining is one that is to be joined, also while the client comes back.
	Joining RoomPhase = "joining"
	// Joined is one of which the client is a member.
	Joined RoomPhase = "joined"
)

type (
	// join goes on after this offset of this history, where there is an epoch.
	join struct {
		after uint64
		epoch string
	}
	leave struct{}
)

// membership decides about one room. It sends nothing and reads no clock.
type membership struct {
	phase  RoomPhase
	reason string
	// Whether nothing was missed when it was joined last; nil where it was the first time.
	recovered *bool
	// The history's identity, or nothing.
	epoch string
	// The offset up to which all is read; nil where that is not known.
	offset       *uint64
	wanted       bool
	connected    bool
	joinedBefore bool
	pauses       backoff
}

func newMembership() membership {
	return membership{phase: Unsubscribed, reason: "new", pauses: backoff{first: time.Second, longest: 30 * time.Second}}
}

// want: somebody wants the room's messages, or nobody does any more.
func (m *membership) want(wanted bool) step {
	if wanted == m.wanted {
		return nil
	}
	m.wanted = wanted
	if wanted {
		return m.join("wanted")
	}
	member := m.phase != Unsubscribed && m.connected
	// Why it was refused stays to be seen.
	if m.phase != Unsubscribed {
		m.away("left")
	}
	// What comes until it is joined again is not wanted, so it is nothing to go on from.
	m.epoch, m.offset, m.recovered, m.joinedBefore = "", nil, nil, false
	if member {
		return leave{}
	}
	return nil
}

// isConnected: there is a connection. A session that was recovered joins again too: it might not be allowed to any more.
func (m *membership) isConnected() step {
	m.connected = true
	m.pauses.reset()
	if !m.wanted {
		return nil
	}
	return m.join("wanted")
}

// isDisconnected: there is none any more, and the client comes back by itself.
func (m *membership) isDisconnected() {
	m.connected = false
	if m.wanted {
		m.phase, m.reason = Joining, "disconnected"
	}
}

// over: the client does not come back by itself. If it does, it goes on from where it was.
func (m *membership) over(reason string) {
	m.connected = false
	if m.wanted {
		m.away(reason)
	}
}

// waited: the pause after a refusal is over.
func (m *membership) waited() step {
	if !m.wanted || m.phase != Joining {
		return nil
	}
	return m.join("wanted")
}

// answered: the answer to the last join.
func (m *membership) answered(a answer, random float64) step {
	if m.phase != Joining || !m.connected {
		return nil
	}
	if err := a.err(); err != nil {
		return m.refused(err.Code, random)
	}
	m.recovered = nil
	if m.joinedBefore {
		recovered := a.Recovered
		m.recovered = &recovered
	}
	// What was missed has come before the answer, and has said how far it is. The answer's own offset counts where the
	// room is read from there on.
	if !a.Recovered || a.Epoch != m.epoch {
		m.offset = nil
		if a.Epoch != "" {
			m.offset = a.place()
		}
	}
	m.epoch = a.Epoch
	m.joinedBefore = true
	m.phase, m.reason = Joined, "joined"
	return nil
}

// takes tells whether a message is one that the client has not had.
func (m *membership) takes(offset *uint64) bool {
	if !m.wanted {
		return false
	}
	if offset == nil {
		return true
	}
	if m.offset != nil && *offset <= *m.offset {
		return false
	}
	m.offset = offset
	return true
}

// revoked: the gateway has taken the session out of the room.
func (m *membership) revoked(reason string) { m.away(reason) }

func (m *membership) join(reason string) step {
	m.phase, m.reason = Joining, reason
	if !m.connected {
		return nil
	}
	if m.epoch == "" || m.offset == nil {
		return join{}
	}
	return join{*m.offset, m.epoch}
}

func (m *membership) refused(code string, random float64) step {
	if passes(code) {
		m.reason = code
		return wait{m.pauses.next(random, 200*time.Millisecond)}
	}
	m.away(code)
	return nil
}

func (m *membership) away(reason string) { m.phase, m.reason = Unsubscribed, reason }
