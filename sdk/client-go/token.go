package sluice

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// renewAfter says after how long a token should be renewed; nothing where it does not say when it expires. The client
// does not check it; the gateway does.
func renewAfter(token string, now time.Time, random float64) (time.Duration, bool) {
	parts := strings.Split(token, ".")
	if len(parts) < 2 {
		return 0, false
	}
	body, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	var claims struct {
		Expires *float64 `json:"exp"`
		Issued  *float64 `json:"iat"`
	}
	if err != nil || json.Unmarshal(body, &claims) != nil || claims.Expires == nil {
		return 0, false
	}
	begins := now
	// A token from the future says that this clock is behind.
	if claims.Issued != nil && at(*claims.Issued).After(now) {
		begins = at(*claims.Issued)
	}
	life := at(*claims.Expires).Sub(begins)
	// The last fifth of its life, of a minute at most. The users of a fleet may all have got theirs at once.
	last := portion(min(life/5, time.Minute), 1+random/2)
	return max(life-last, time.Second), true
}

func at(seconds float64) time.Time { return time.UnixMilli(int64(seconds * 1000)) }
