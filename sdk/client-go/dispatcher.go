package sluice

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// So many calls may wait for the application before no more is read for it.
const backlog = 1_024

// dispatcher calls the application's functions one at a time, in their order, and never while the client holds its lock.
type dispatcher struct {
	mu      sync.Mutex
	calls   []func()
	running bool
	// Closed and made anew whenever few wait.
	caughtUp chan struct{}
}

func (d *dispatcher) call(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, f)
	if !d.running {
		d.running = true
		go d.run()
	}
}

func (d *dispatcher) run() {
	for {
		d.mu.Lock()
		if len(d.calls) == 0 {
			d.running = false
			d.release()
			d.mu.Unlock()
			return
		}
		next := d.calls[0]
		d.calls[0] = nil
		d.calls = d.calls[1:]
		if len(d.calls) < backlog {
			d.release()
		}
		d.mu.Unlock()
		next()
	}
}

func (d *dispatcher) release() {
	if d.caughtUp != nil {
		close(d.caughtUp)
		d.caughtUp = nil
	}
}

// isBehind tells whether as much waits as may.
func (d *dispatcher) isBehind() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.calls) >= backlog
}

// ready waits until less waits than may.
func (d *dispatcher) ready(ctx context.Context) {
	d.mu.Lock()
	if len(d.calls) < backlog {
		d.mu.Unlock()
		return
	}
	if d.caughtUp == nil {
		d.caughtUp = make(chan struct{})
	}
	caughtUp := d.caughtUp
	d.mu.Unlock()
	select {
	case <-caughtUp:
	case <-ctx.Done():
	}
}

// listeners are the application's functions, each until it is taken back.
type listeners[T any] struct {
	own []*heard[T]
}

type heard[T any] struct {
	f    func(T)
	gone atomic.Bool
}

// add returns what takes it back. Both are to be called with the client's lock.
func (l *listeners[T]) add(f func(T)) (remove func()) {
	one := &heard[T]{f: f}
	l.own = append(l.own, one)
	return func() {
		one.gone.Store(true)
		l.own = slices.DeleteFunc(l.own, func(it *heard[T]) bool { return it == one })
	}
}

// tell has all of them called that are still there then.
func (l *listeners[T]) tell(d *dispatcher, value T) {
	for _, one := range l.own {
		d.call(func() {
			if !one.gone.Load() {
				one.f(value)
			}
		})
	}
}
