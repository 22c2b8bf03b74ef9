package sluice

import "time"

// backoff makes the pauses between attempts: full jitter, of which the upper bound doubles with every attempt that fails.
type backoff struct {
	first, longest time.Duration
	attempts       int
}

// next is the next pause. The random number lies in 0..1, and least is never fallen short of.
func (b *backoff) next(random float64, least time.Duration) time.Duration {
	most := b.longest
	if b.attempts < 32 {
		most = min(b.first<<b.attempts, b.longest)
	}
	b.attempts++
	return least + time.Duration(random*float64(most))
}

func (b *backoff) reset() { b.attempts = 0 }
