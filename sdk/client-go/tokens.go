package sluice

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// tokens asks for a token when it is needed, once at a time, and again before it expires. All of it is under the client's
// lock; the application is asked without it.
type tokens struct {
	client  *Client
	token   string
	known   bool
	renewAt time.Time
	// Who hears the answer to what is asked now.
	waiting []func(string, error)
	cancel  context.CancelFunc
	timer   *timer
	// Counts connections: an answer for an earlier one renews nothing.
	turn int
}

// forConnection has the token that is there, unless it was refused or is about to expire.
func (t *tokens) forConnection(reason TokenReason, told func(string, error)) {
	if t.client.options.GetToken == nil {
		t.client.soon(func() { told("", nil) })
		return
	}
	if reason == TokenConnect && t.known && t.renewAt.After(now()) {
		t.client.soon(func() { told(t.token, nil) })
		return
	}
	t.ask(reason, told)
}

func (t *tokens) ask(reason TokenReason, told func(string, error)) {
	t.waiting = append(t.waiting, told)
	if t.cancel != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	t.cancel = cancel
	go func() {
		token, err := t.client.options.GetToken(ctx, reason)
		t.client.mu.Lock()
		defer t.client.mu.Unlock()
		defer cancel()
		if ctx.Err() != nil {
			// It was forgotten meanwhile, and who waited was told.
			return
		}
		t.cancel = nil
		if err == nil {
			t.token, t.known, t.renewAt = token, true, time.Time{}
			if after, ok := renewAfter(token, now(), rand.Float64()); ok {
				t.renewAt = now().Add(after)
			}
		}
		t.tell(token, err)
	}()
}

func (t *tokens) tell(token string, err error) {
	waiting := t.waiting
	t.waiting = nil
	for _, told := range waiting {
		told(token, err)
	}
}

// keepFresh has the token renewed before it expires, while there is a connection.
func (t *tokens) keepFresh(renew func(token string, done func(error)), unauthorized func()) {
	t.rest()
	if t.client.options.GetToken == nil || t.renewAt.IsZero() {
		return
	}
	turn := t.turn
	pauses := backoff{first: time.Second, longest: 30 * time.Second}
	var attempt func()
	again := func(err error) {
		switch {
		case turn != t.turn:
		case err == nil:
			t.keepFresh(renew, unauthorized)
		case errors.Is(err, ErrUnauthorized):
			unauthorized()
		default:
			t.client.log("the token could not be renewed, and is asked for again", err)
			t.timer = t.client.after(pauses.next(rand.Float64(), time.Second), attempt)
		}
	}
	attempt = func() {
		t.ask(TokenExpiring, func(token string, err error) {
			if err != nil || turn != t.turn {
				again(err)
				return
			}
			renew(token, again)
		})
	}
	t.timer = t.client.after(t.renewAt.Sub(now()), attempt)
}

// rest: there is no connection, and nothing is renewed.
func (t *tokens) rest() {
	t.turn++
	stopTimer(t.timer)
}

// forget: the client disconnects, and whoever connects next may be another user.
func (t *tokens) forget() {
	t.rest()
	t.token, t.known = "", false
	if t.cancel != nil {
		t.cancel()
		t.cancel = nil
		t.tell("", context.Canceled)
	}
}
