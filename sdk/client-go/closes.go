package sluice

// comeback says how a client comes back after a close: docs/close-codes.md.
type comeback int

const (
	// After a random pause that grows.
	afterJitter comeback = iota
	// At once: the gateway has spread such closes over time already.
	atOnce
	// As afterJitter, and a second later at least.
	afterPause
	// With another token.
	withToken
	// Not at all: it would end in the same way.
	never
)

func comebackAfter(code int) comeback {
	switch {
	case code >= 4500 && code < 5000:
		return never
	case code == 4000 || code == 4001 || code == 4002 || code == 4006:
		return atOnce
	case code == 4003:
		return withToken
	case code == 4004:
		return afterPause
	default:
		return afterJitter
	}
}

// closeName is the name of a close, also where its frame had none.
func closeName(code int, reason string) string {
	switch {
	case reason != "":
		return reason
	case code == tooLarge:
		return "message_too_large"
	case code == 4500:
		return "replaced"
	case code == 4501:
		return "revoked"
	case code == 4503:
		return "unauthorized"
	default:
		return "lost"
	}
}
