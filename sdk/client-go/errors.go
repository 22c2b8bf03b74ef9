package sluice

import (
	"errors"
	"slices"
)

// Error is a refusal, or what became of a request.
//
// Its code is for programs: one of the gateway's (docs/errors.md), or one of the library's own:
//
//   - disconnected: the connection was lost before there was an answer; the request may have been carried out.
//   - in_doubt: a publication was sent, and nobody can say any more whether it was taken; sending it again might
//     repeat it.
//   - expired: a publication could not be sent before its age limit.
//   - outbox_full: as many publications wait as may.
//   - store_failed: the store of the outbox has failed.
//   - left: the room was left before it came to that.
//   - unauthorized: there is no token, or the gateway accepts none that there is.
type Error struct {
	Code    string
	Message string
	// Cause is what it came from, where that was another error.
	Cause error
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns what it came from.
func (e *Error) Unwrap() error { return e.Cause }

// ErrUnauthorized is to be returned by GetToken where the user is not signed in any more: the client stays disconnected.
var ErrUnauthorized error = &Error{Code: "unauthorized", Message: "the user is not signed in; sign in, then call Connect"}

// Code returns the code of an error of this package, and nothing for another.
func Code(err error) string {
	var own *Error
	if errors.As(err, &own) {
		return own.Code
	}
	return ""
}

var passing = []string{
	"rate_limited", "too_many_in_flight", "room_rate_limited", "room_full", "overloaded", "backbone_unavailable", "disconnected",
}

// passes tells whether the same request may be accepted after a pause.
func passes(code string) bool { return slices.Contains(passing, code) }
