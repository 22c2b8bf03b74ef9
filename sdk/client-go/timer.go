package sluice

import "time"

// timer calls a function under the client's lock, unless it is stopped under that lock before.
type timer struct {
	own     *time.Timer
	stopped bool
}

// after calls f once the pause is over.
func (c *Client) after(pause time.Duration, f func()) *timer {
	t := &timer{}
	t.own = time.AfterFunc(max(pause, 0), func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		// It may have been stopped while this waited for the lock.
		if !t.stopped {
			f()
		}
	})
	return t
}

func stopTimer(t *timer) {
	if t != nil {
		t.stopped = true
		t.own.Stop()
	}
}
