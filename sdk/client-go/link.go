package sluice

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	subprotocol = "sluice.v1.json"
	// The close code after a message that is larger than the gateway takes (RFC 6455, section 7.4.1).
	tooLarge = 1009
)

// closing is how a link ended.
type closing struct {
	code   int
	reason string
	// What an HTTP answer asked for.
	retryAfter time.Duration
}

// listener is told of a link; after closed nothing more.
type listener interface {
	opened(*link)
	came(*link, *frame)
	closed(*link, closing)
	// ready waits until the application has caught up with what came before.
	ready(context.Context)
}

// link is one way to a gateway, open or opening.
type link struct {
	listener listener
	ctx      context.Context
	cancel   context.CancelFunc
	ended    chan struct{}

	mu     sync.Mutex
	socket *websocket.Conn
	frames [][]byte
	more   chan struct{}
	last   bool
}

func dial(to string, client *http.Client, l listener) *link {
	ctx, cancel := context.WithCancel(context.Background())
	k := &link{listener: l, ctx: ctx, cancel: cancel, ended: make(chan struct{}), more: make(chan struct{}, 1)}
	go k.run(to, client)
	return k
}

// send sends a request under this number.
func (k *link) send(number int, r request) {
	fields, err := json.Marshal(r)
	if err != nil {
		return
	}
	// The id goes first, where the gateway finds it also in a message that is too large.
	text := append([]byte(`{"id":`+strconv.Itoa(number)+","), fields[1:]...)
	k.mu.Lock()
	k.frames = append(k.frames, text)
	k.mu.Unlock()
	k.wake()
}

// close ends it, and the session with it, once what was sent before is on its way.
func (k *link) close() {
	k.mu.Lock()
	k.last = true
	open := k.socket != nil
	k.mu.Unlock()
	if !open {
		k.cancel()
	}
	k.wake()
}

// giveUp ends it and leaves the session to be recovered. It may be dead: nothing is waited for.
func (k *link) giveUp() { k.cancel() }

func (k *link) wake() {
	select {
	case k.more <- struct{}{}:
	default:
	}
}

func (k *link) run(to string, client *http.Client) {
	defer close(k.ended)
	defer k.cancel()
	socket, response, err := websocket.Dial(k.ctx, to, &websocket.DialOptions{
		HTTPClient: client, Subprotocols: []string{subprotocol},
	})
	if err != nil {
		k.listener.closed(k, closingOf(response))
		return
	}
	// The gateway bounds what it sends.
	socket.SetReadLimit(-1)
	k.mu.Lock()
	k.socket = socket
	k.mu.Unlock()
	k.listener.opened(k)
	go k.write(socket)
	err = k.read(socket)
	_ = socket.CloseNow()
	end := closing{code: 1006}
	var closed websocket.CloseError
	if errors.As(err, &closed) {
		end.code, end.reason = int(closed.Code), closed.Reason
	}
	k.listener.closed(k, end)
}

func (k *link) read(socket *websocket.Conn) error {
	for {
		k.listener.ready(k.ctx)
		_, text, err := socket.Read(k.ctx)
		if err != nil {
			return err
		}
		f := &frame{}
		if json.Unmarshal(text, f) == nil {
			k.listener.came(k, f)
		}
	}
}

func (k *link) write(socket *websocket.Conn) {
	for {
		select {
		case <-k.more:
		case <-k.ctx.Done():
			return
		}
		k.mu.Lock()
		frames, last := k.frames, k.last
		k.frames = nil
		k.mu.Unlock()
		for _, text := range frames {
			if socket.Write(k.ctx, websocket.MessageText, text) != nil {
				// Reading tells.
				return
			}
		}
		if last {
			_ = socket.Close(websocket.StatusNormalClosure, "")
			k.cancel()
			return
		}
	}
}

func closingOf(response *http.Response) closing {
	end := closing{code: 1006}
	if response == nil || response.StatusCode == http.StatusSwitchingProtocols {
		return end
	}
	end.reason = "http_" + strconv.Itoa(response.StatusCode)
	if seconds, err := strconv.ParseFloat(response.Header.Get("Retry-After"), 64); err == nil && seconds > 0 {
		end.retryAfter = time.Duration(seconds * float64(time.Second))
	}
	return end
}

// plainURL is where the plain protocol is: https://host/ and wss://host/ mean wss://host/ws.
func plainURL(text string) (string, error) {
	parsed, err := url.Parse(text)
	if err == nil && parsed.Host != "" {
		switch parsed.Scheme {
		case "http", "ws":
			parsed.Scheme = "ws"
		case "https", "wss":
			parsed.Scheme = "wss"
		default:
			err = errors.New("another scheme")
		}
	}
	if err != nil || parsed.Host == "" {
		return "", fmt.Errorf("%q is no gateway's URL; write it like https://rt.example.com", text)
	}
	if parsed.Path == "" || parsed.Path == "/" {
		parsed.Path = "/ws"
	}
	parsed.Fragment = ""
	return parsed.String(), nil
}
