package sluice

import "time"

const (
	// A request that got no answer for so long, while nothing else came, makes the connection suspect.
	unanswered = time.Second
	// So long may a suspect connection say nothing: with a tick and the above it stays within five seconds.
	patience = 3 * time.Second
	// How often the client looks: a pause much longer than that was the machine's sleep.
	tick  = time.Second
	slept = 3 * time.Second
)

type finding int

const (
	fine finding = iota
	doubtful
	dead
)

// probe finds out whether a connection still carries anything, by a ping where there is a doubt. It reads no clock.
type probe struct {
	silence       time.Duration
	heardAt       time.Time
	lookedAt      time.Time
	asked         time.Time
	suspect       time.Time
	withoutAnswer time.Duration
}

func newProbe(now time.Time, silence time.Duration) *probe {
	return &probe{silence: silence, heardAt: now, lookedAt: now, withoutAnswer: unanswered}
}

// heard: something came from the gateway.
func (p *probe) heard(now time.Time) {
	p.heardAt = now
	if !p.suspect.IsZero() && !p.asked.IsZero() {
		// The request only takes its time.
		p.withoutAnswer *= 2
	}
	p.suspect = time.Time{}
	if !p.asked.IsZero() {
		p.asked = now
	}
}

// waits: so many requests wait for an answer.
func (p *probe) waits(requests int, now time.Time) {
	if requests == 0 {
		p.asked, p.withoutAnswer = time.Time{}, unanswered
	} else if p.asked.IsZero() {
		p.asked = now
	}
}

// doubt: there is a reason, such as a wake. It tells whether to ping.
func (p *probe) doubt(now time.Time) bool {
	if !p.suspect.IsZero() {
		return false
	}
	p.suspect = now
	return true
}

// look is to be called every tick.
func (p *probe) look(now time.Time) finding {
	sleeping := now.Sub(p.lookedAt) > tick+slept
	p.lookedAt = now
	if sleeping {
		// Nobody could answer meanwhile: what was asked before is asked again.
		p.suspect = now
		return doubtful
	}
	if !p.suspect.IsZero() {
		if now.Sub(p.suspect) >= patience {
			return dead
		}
		return fine
	}
	late := !p.asked.IsZero() && now.Sub(p.asked) >= p.withoutAnswer
	silent := now.Sub(p.heardAt) >= p.silence
	if (late || silent) && p.doubt(now) {
		return doubtful
	}
	return fine
}
