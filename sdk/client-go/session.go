package sluice

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"
)

const (
	// So long may a connection take from its first byte until the gateway has let the client in.
	openingFor = 10 * time.Second
	// Who asks by this number waits for no answer.
	nobody = 0
)

// session is the client at the gateway: it connects, comes back, and goes on as the session that it was, where the gateway
// still has it. All of it is under the client's lock.
type session struct {
	client   *Client
	id, user string
	connection
	current  *link
	last     *link
	probe    *probe
	pid      string
	position string
	token    string
	requests map[int]func(answer)
	number   int
	tokens   tokens
	timer    *timer
	ticks    *timer
}

func (s *session) do(next step) {
	if next == nil {
		return
	}
	stopTimer(s.timer)
	switch next := next.(type) {
	case askToken:
		s.ask(next.reason)
	case openLink:
		s.open()
	case wait:
		s.timer = s.client.after(next.pause, func() { s.do(s.waited()) })
	case closeLink:
		s.close()
	}
	s.client.changed()
}

func (s *session) close() {
	link := s.current
	if link != nil {
		link.close()
	}
	s.tokens.forget()
	s.pid, s.position = "", ""
	if link != nil {
		s.over(false)
	}
}

func (s *session) stopFor(reason string) { s.do(s.stop(reason)) }

func (s *session) ask(reason TokenReason) {
	if reason == TokenRefused && s.client.options.GetToken == nil {
		s.stopFor("unauthorized")
		return
	}
	s.tokens.forConnection(reason, func(token string, err error) {
		switch {
		case s.phase != asking:
		case err == nil:
			s.token = token
			s.do(s.connection.token())
		case errors.Is(err, ErrUnauthorized), errors.Is(err, context.Canceled):
			s.stopFor("unauthorized")
		default:
			s.client.log("GetToken failed, and is called again", err)
			s.do(s.tokenFailed(rand.Float64()))
		}
	})
}

func (s *session) open() {
	s.current = dial(s.client.url, s.client.options.HTTPClient, s.client)
	s.last = s.current
	s.timer = s.client.after(openingFor, func() { s.giveUp("connect_timeout") })
}

// greet asks to be let in.
func (s *session) greet(k *link) {
	r := request{"op": "connect"}
	if s.client.options.GetToken != nil {
		r["token"] = s.token
	}
	if s.client.options.Namespace != "" {
		r["namespace"] = s.client.options.Namespace
	}
	if s.client.options.Auth != nil {
		r["auth"] = s.client.options.Auth
	}
	if s.pid != "" {
		r["pid"] = s.pid
		if s.position != "" {
			r["offset"] = s.position
		}
	}
	s.send(k, r, func(a answer) {
		// Where it was closed meanwhile, that was told.
		if k != s.current {
			return
		}
		if err := a.err(); err != nil {
			s.refusedWith(err.Code)
		} else {
			s.letIn(a)
		}
	})
}

func (s *session) letIn(a answer) {
	stopTimer(s.timer)
	s.id, s.user, s.pid = a.Session, "", a.Pid
	if a.User != nil {
		s.user = *a.User
	}
	if !a.Recovered {
		s.position = ""
	}
	s.greeted(now())
	interval := 25 * time.Second
	if a.PingInterval != nil {
		interval = time.Duration(*a.PingInterval * float64(time.Millisecond))
	}
	s.watchSilence(interval)
	s.tokens.keepFresh(s.renew, func() { s.stopFor("unauthorized") })
	s.client.changed()
	s.client.connected()
}

func (s *session) refusedWith(code string) {
	// Of all refusals only this leaves the connection open, for another namespace; this client asks for one alone.
	if code == "namespace_unknown" {
		s.stopFor(code)
		return
	}
	s.refused(code)
}

// renew gives the gateway another token; done hears whether it is to be tried again.
func (s *session) renew(token string, done func(error)) {
	s.call(request{"op": "refresh", "token": token}, func(a answer) {
		err := a.err()
		switch {
		case err == nil:
			done(nil)
		case passes(err.Code):
			done(err)
		default:
			// Such as the token of another user: a new connection decides.
			s.token = token
			s.giveUp(err.Code)
		}
	})
}

// call sends a request; answered hears the answer, at once where there is no connection. It returns what gives it up.
func (s *session) call(r request, answered func(answer)) (giveUp func()) {
	if s.current != nil && s.phase == connected {
		return s.send(s.current, r, answered)
	}
	answered(disconnectedAnswer())
	return func() {}
}

func (s *session) send(k *link, r request, answered func(answer)) (giveUp func()) {
	s.number++
	number := s.number
	s.requests[number] = answered
	k.send(number, r)
	s.count()
	return func() {
		delete(s.requests, number)
		s.count()
	}
}

func (s *session) count() {
	if s.probe != nil {
		s.probe.waits(len(s.requests), now())
	}
}

func (s *session) came(f *frame) {
	if s.probe != nil {
		s.probe.heard(now())
	}
	if f.OK == nil {
		s.pushed(f)
		return
	}
	var number int
	if json.Unmarshal(f.ID, &number) != nil {
		return
	}
	answered := s.requests[number]
	delete(s.requests, number)
	s.count()
	if answered != nil {
		answered(answer{*f})
	}
}

func (s *session) pushed(f *frame) {
	var position string
	if json.Unmarshal(f.Offset, &position) == nil && position != "" {
		s.position = position
	}
	if f.Event == "drain" && f.Meta == nil {
		s.drains(now().Add(readDrain(f.Data).Within))
	}
	s.client.push(f)
}

func (s *session) watchSilence(interval time.Duration) {
	s.probe = newProbe(now(), interval+interval/5)
	var look func()
	look = func() {
		s.ticks = s.client.after(tick, look)
		if s.client.dispatcher.isBehind() {
			// What has come is not read because the application has not caught up.
			s.probe.heard(now())
		}
		switch s.probe.look(now()) {
		case doubtful:
			s.ping()
		case dead:
			s.giveUp("silent")
		case fine:
		}
	}
	s.ticks = s.client.after(tick, look)
}

// ping: any answer will do, and none is waited for. The probe does.
func (s *session) ping() {
	if s.current != nil {
		s.current.send(nobody, request{"op": "ping"})
	}
}

func (s *session) wake() {
	if s.probe != nil && s.probe.doubt(now()) {
		s.ping()
	}
	s.do(s.hurry(rand.Float64()))
}

func (s *session) giveUp(reason string) {
	if s.current != nil {
		s.current.giveUp()
		s.ended(closing{code: 1006, reason: reason})
	}
}

func (s *session) ended(end closing) {
	s.over(end.code == tooLarge)
	s.do(s.closed(end, now(), rand.Float64()))
}

// over: there is no link any more.
func (s *session) over(becauseTooLarge bool) {
	s.current, s.probe = nil, nil
	stopTimer(s.ticks)
	stopTimer(s.timer)
	s.tokens.rest()
	requests := s.requests
	s.requests = map[int]func(answer){}
	for number := 1; len(requests) > 0 && number <= s.number; number++ {
		if answered := requests[number]; answered != nil {
			answered(disconnectedAnswer())
		}
	}
	s.client.disconnected(becauseTooLarge)
}

func disconnectedAnswer() answer {
	return refusal("disconnected", "there is no connection, or it was lost; ask again once it is back")
}

// now goes on while the machine sleeps, which the monotonic clock does not.
func now() time.Time { return time.Now().Round(0) }
