package sluice

import (
	"strings"
	"time"
)

// TokenReason says why a token is asked for.
type TokenReason string

const (
	// TokenConnect is for a connection.
	TokenConnect TokenReason = "connect"
	// TokenExpiring is for one whose token expires.
	TokenExpiring TokenReason = "expiring"
	// TokenRefused is after the last one was refused, or ran out.
	TokenRefused TokenReason = "refused"
)

type phase int

const (
	// Not wanted, or ended for good.
	off phase = iota
	// Until the next attempt.
	waiting
	// For the application's token.
	asking
	// The way opens, and the gateway is asked to connect.
	opening
	connected
)

// What the client does about its connection or a room next.
type (
	step      any
	askToken  struct{ reason TokenReason }
	openLink  struct{}
	closeLink struct{}
	wait      struct{ pause time.Duration }
)

const (
	// A connection that lasted so long was a good one: the pauses begin anew after it.
	good = 10 * time.Second
	// At most so long after a wake does the next attempt begin: not all clients of an office at once.
	soon = 200 * time.Millisecond
	// The most over which clients spread that lose a gateway in the middle of its drain.
	spread = 5 * time.Second
)

// connection decides when the client connects, and what the end of a connection leads to. It opens nothing and reads no
// clock: what happened comes in by its methods, and the next step comes out; nil means that nothing is to be done.
type connection struct {
	phase phase
	// Why it is not connected: a close's name, a refusal's code, or what the client itself did.
	reason string
	pauses backoff
	since  time.Time
	// The code of the last refusal of connect, until a token is let in.
	refusedBy string
	// Until when the gateway drains.
	drained time.Time
	// Whether a token that was asked for because of a refusal was refused as well.
	tokenTried bool
}

func newConnection() connection {
	return connection{reason: "new", pauses: backoff{first: 500 * time.Millisecond, longest: 20 * time.Second}}
}

// start: the application wants to be connected.
func (c *connection) start() step {
	if c.phase != off {
		return nil
	}
	c.tokenTried, c.refusedBy = false, ""
	c.pauses.reset()
	return c.ask(TokenConnect)
}

// stop: the application wants it no more, or nothing can be done.
func (c *connection) stop(reason string) step {
	c.phase, c.reason = off, reason
	return closeLink{}
}

// token: the application has given one.
func (c *connection) token() step {
	if c.phase != asking {
		return nil
	}
	c.phase = opening
	return openLink{}
}

// tokenFailed: the application could not, which may pass.
func (c *connection) tokenFailed(random float64) step {
	if c.phase != asking {
		return nil
	}
	return c.wait("token_failed", c.pauses.next(random, 0))
}

// greeted: the gateway has let the client in.
func (c *connection) greeted(now time.Time) {
	c.phase, c.reason = connected, "connected"
	c.since, c.drained = now, time.Time{}
	c.tokenTried, c.refusedBy = false, ""
}

// refused: the gateway has not. It closes the connection next, which says what to do.
func (c *connection) refused(code string) { c.refusedBy = code }

// closed: the connection has ended, or did not come about.
func (c *connection) closed(end closing, now time.Time, random float64) step {
	if c.phase != opening && c.phase != connected {
		return nil
	}
	if c.phase == connected && now.Sub(c.since) >= good {
		c.pauses.reset()
	}
	why, then := c.refusedBy, comebackAfter(end.code)
	if why == "" {
		why = closeName(end.code, end.reason)
	}
	if strings.HasPrefix(c.refusedBy, "token_") || c.refusedBy == "key_unknown" {
		then = withToken
	}
	switch then {
	case never:
		return c.stop(why)
	case withToken:
		if c.tokenTried && c.refusedBy != "" {
			return c.stop("unauthorized")
		}
		c.tokenTried = true
		return c.ask(TokenRefused)
	case atOnce:
		// The first time at once; a gateway that does so again and again is not stormed.
		first := c.pauses.attempts == 0
		pause := c.pauses.next(random, 0)
		if first {
			pause = portion(soon, random)
		}
		return c.wait(why, pause)
	default:
		least := end.retryAfter
		if then == afterPause {
			least = max(least, time.Second)
		}
		pause := c.pauses.next(random, least)
		// It went before it had closed everybody: all who were left come back together.
		left := min(c.drained.Sub(now), spread)
		return c.wait(why, max(pause, portion(left, random)))
	}
}

// drains: the gateway closes its connections one after the other until then.
func (c *connection) drains(until time.Time) { c.drained = until }

// waited: the pause is over.
func (c *connection) waited() step {
	if c.phase != waiting {
		return nil
	}
	return c.ask(TokenConnect)
}

// hurry: the network is back, or the machine is awake again. What waits need not wait longer.
func (c *connection) hurry(random float64) step {
	if c.phase != waiting {
		return nil
	}
	return wait{portion(soon, random)}
}

func (c *connection) ask(reason TokenReason) step {
	c.phase = asking
	return askToken{reason}
}

func (c *connection) wait(reason string, pause time.Duration) step {
	c.phase, c.reason = waiting, reason
	return wait{pause}
}

func portion(of time.Duration, random float64) time.Duration {
	return time.Duration(random * float64(of))
}
