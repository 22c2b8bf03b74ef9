package sluice

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// State says whether a client is connected.
type State string

const (
	// Disconnected is a client that does not want to be connected, or cannot be.
	Disconnected State = "disconnected"
	// Connecting is one that connects or comes back.
	Connecting State = "connecting"
	// Connected is one that the gateway has let in.
	Connected State = "connected"
)

// ClientState is the state of a client, and why it is in it.
type ClientState struct {
	State State
	// Reason is the name of the close or the code of the refusal that led to it, or new, connected, disconnected,
	// unauthorized.
	Reason string
}

// Drain says that the gateway drains, and closes the connection within so long. The client comes back by itself.
type Drain struct {
	Reason string
	Within time.Duration
}

// Options are what a client can be given.
type Options struct {
	// GetToken is the application's way to a token; without it the client connects without one. It returns
	// ErrUnauthorized where the user is not signed in any more; any other error is taken to pass, and it is called again
	// after a pause. It is never called twice at a time.
	GetToken func(context.Context, TokenReason) (string, error)
	// Namespace is the Socket.IO namespace, / unless given: rooms belong to one.
	Namespace string
	// Auth is any JSON for the backend, where it is told of connects.
	Auth any
	// Outbox bounds what waits to be published.
	Outbox OutboxLimits
	// Store keeps the outbox over a restart, such as FileStore.
	Store OutboxStore
	// HTTPClient makes the request that a connection begins with, where it is not to be http.DefaultClient.
	HTTPClient *http.Client
	// Logger is told of what passes by itself, such as a GetToken that fails; slog.Default unless given.
	Logger *slog.Logger
}

// Client is a client of one gateway, or of a fleet of them. It connects as soon as something wants it: Connect, a room, a
// publication, a request. All its methods may be called by any goroutine.
type Client struct {
	url        string
	options    Options
	dispatcher dispatcher

	mu      sync.Mutex
	session session
	sender  sender
	rooms   map[string]*Room
	// Rooms that were seen to have a history.
	kept      map[string]bool
	told      ClientState
	waiters   chan struct{}
	onState   listeners[ClientState]
	onSettled listeners[Settled]
	onOutbox  listeners[int]
	onDrain   listeners[Drain]
	onMessage listeners[Message]
	direct    map[string]*listeners[Message]
}

// New returns a client of the gateway at a URL such as https://rt.example.com.
func New(url string, options Options) (*Client, error) {
	plain, err := plainURL(url)
	if err != nil {
		return nil, err
	}
	c := &Client{
		url: plain, options: options,
		rooms: map[string]*Room{}, kept: map[string]bool{},
		waiters: make(chan struct{}), direct: map[string]*listeners[Message]{},
	}
	c.session = session{client: c, connection: newConnection(), requests: map[int]func(answer){}, tokens: tokens{client: c}}
	c.sender = sender{client: c, outbox: newOutbox(options.Outbox), promised: map[*Item]func(Settled){}}
	return c, nil
}

// State returns whether it is connected, and why not.
func (c *Client) State() ClientState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state()
}

// Session returns the session's public id, and the user of its token; both are empty before it connected.
func (c *Client) Session() (id, user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.id, c.session.user
}

// Outbox returns the publications that wait or are unanswered.
func (c *Client) Outbox() []Item {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sender.all()
}

// Connect connects, and stays so until Disconnect. It returns when the client is connected, or the reason where it cannot be.
func (c *Client) Connect(ctx context.Context) error {
	c.mu.Lock()
	c.sender.open()
	c.session.do(c.session.start())
	c.mu.Unlock()
	return c.whenConnected(ctx)
}

// Disconnect disconnects, until Connect. What waits in the outbox, and what is published meanwhile, waits for that.
func (c *Client) Disconnect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session.stopFor("disconnected")
}

// Close disconnects, and waits until the gateway has been told, or the context ends.
func (c *Client) Close(ctx context.Context) error {
	c.Disconnect()
	c.mu.Lock()
	last := c.session.last
	c.mu.Unlock()
	if last == nil {
		return nil
	}
	select {
	case <-last.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Wake says that the network or the machine may be back. The client then finds out at once whether its connection still
// carries anything, or waits no longer for its next attempt.
func (c *Client) Wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session.wake()
}

// Room returns a room; the same each time. It is joined when something uses it.
func (c *Client) Room(name string) *Room {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[name]
	if r == nil {
		r = &Room{name: name, client: c, member: newMembership(), byEvent: map[string]*listeners[Message]{}}
		c.rooms[name] = r
		if c.session.phase == connected {
			r.do(r.member.isConnected())
		}
	}
	return r
}

// OnState calls f whenever its state has changed, until the returned function is called.
func (c *Client) OnState(f func(ClientState)) (stop func()) {
	return c.listen(func() func() { return c.onState.add(f) })
}

// OnSettled calls f when a publication was taken, was refused, or has failed, also one from before a restart.
func (c *Client) OnSettled(f func(Settled)) (stop func()) {
	return c.listen(func() func() { return c.onSettled.add(f) })
}

// OnOutbox calls f with how many publications wait, whenever that may have changed.
func (c *Client) OnOutbox(f func(int)) (stop func()) {
	return c.listen(func() func() { return c.onOutbox.add(f) })
}

// OnDrain calls f when the gateway says that it drains.
func (c *Client) OnDrain(f func(Drain)) (stop func()) {
	return c.listen(func() func() { return c.onDrain.add(f) })
}

// OnMessage calls f with every message, for whoever wants to look.
func (c *Client) OnMessage(f func(Message)) (stop func()) {
	return c.listen(func() func() { return c.onMessage.add(f) })
}

// OnDirect calls f with messages of this event that were sent to the user or to everybody, and not to a room.
func (c *Client) OnDirect(event string, f func(Message)) (stop func()) {
	return c.listen(func() func() {
		own := c.direct[event]
		if own == nil {
			own = &listeners[Message]{}
			c.direct[event] = own
		}
		return own.add(f)
	})
}

// Direct sends to all connected sessions of a user. It is not kept for who is away.
func (c *Client) Direct(ctx context.Context, user, event string, data any) error {
	_, err := c.askWhenConnected(ctx, request{"op": "direct", "user": user, "event": event, "data": data})
	return err
}

// Broadcast sends to every session of the namespace; the token has to allow it.
func (c *Client) Broadcast(ctx context.Context, event string, data any) error {
	_, err := c.askWhenConnected(ctx, request{"op": "broadcast", "event": event, "data": data})
	return err
}

// Emit sends an event to the application's backend, and returns what it answers.
func (c *Client) Emit(ctx context.Context, event string, data any) (json.RawMessage, error) {
	a, err := c.askWhenConnected(ctx, request{"op": "emit", "event": event, "data": data})
	return a.Data, err
}

// PublishOption says how a publication is sent.
type PublishOption func(*Item)

// WithID gives a message this id; the client makes one unless given. The same id again is stored once.
func WithID(id string) PublishOption { return func(item *Item) { item.ID = id } }

// WithoutEcho has a publisher who is a member not get it.
func WithoutEcho() PublishOption { return func(item *Item) { item.Echo = false } }

// WithAttachments has binary data travel with a message, each at its Placeholder.
func WithAttachments(attachments ...[]byte) PublishOption {
	return func(item *Item) {
		for _, bytes := range attachments {
			item.Attachments = append(item.Attachments, base64.StdEncoding.EncodeToString(bytes))
		}
	}
}

func (c *Client) enqueue(room, event string, data any, options []PublishOption) (*Item, <-chan Settled) {
	told := make(chan Settled, 1)
	text, err := json.Marshal(data)
	if err != nil {
		told <- Settled{Err: err}
		return nil, told
	}
	item := &Item{ID: newID(), Room: room, Event: event, Data: text, Echo: true, At: now()}
	item.Bytes = len(room) + len(event) + len(text)
	for _, option := range options {
		option(item)
	}
	for _, attachment := range item.Attachments {
		item.Bytes += len(attachment)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin()
	c.sender.publish(item, func(settled Settled) { told <- settled })
	return item, told
}

func (c *Client) publish(ctx context.Context, room, event string, data any, options []PublishOption) (Receipt, error) {
	item, told := c.enqueue(room, event, data, options)
	select {
	case settled := <-told:
		if settled.Err != nil {
			return Receipt{}, settled.Err
		}
		return *settled.Receipt, nil
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.sender.abandon(item) {
			return Receipt{}, &Error{Code: "in_doubt", Message: "it was given up after it was sent; it may have been taken", Cause: ctx.Err()}
		}
		return Receipt{}, ctx.Err()
	}
}

func (c *Client) state() ClientState {
	state := Connecting
	if c.session.phase == off {
		state = Disconnected
	} else if c.session.phase == connected {
		state = Connected
	}
	return ClientState{state, c.session.reason}
}

// begin connects for the first time; who has disconnected comes back by Connect alone, and begin says why.
func (c *Client) begin() (over string) {
	if c.session.phase == off && c.session.reason != "new" {
		return c.session.reason
	}
	c.sender.open()
	c.session.do(c.session.start())
	return ""
}

// gate says where a room's publications would go now.
func (c *Client) gate(name string) (*Scope, bool) {
	if c.session.phase != connected {
		return nil, false
	}
	publisher := c.session.user
	if publisher == "" {
		publisher = c.session.id
	}
	r := c.rooms[name]
	switch {
	case r != nil && r.member.phase == Joining:
		return nil, false
	case r != nil && r.member.phase == Joined && r.member.epoch == "":
		return nil, true
	case r != nil && r.member.phase == Joined:
		return &Scope{publisher, r.member.epoch}, true
	case c.kept[name]:
		return &Scope{Publisher: publisher}, true
	default:
		return nil, true
	}
}

func (c *Client) settled(settled Settled) {
	if settled.Receipt != nil && settled.Receipt.Offset != nil {
		c.kept[settled.Item.Room] = true
	}
	c.onSettled.tell(&c.dispatcher, settled)
}

func (c *Client) changed() {
	state := c.state()
	if state == c.told {
		return
	}
	c.told = state
	if state.State == Disconnected {
		for _, r := range c.rooms {
			r.member.over(state.Reason)
			r.changed()
		}
	}
	c.onState.tell(&c.dispatcher, state)
	c.news()
}

func (c *Client) connected() {
	for _, r := range c.rooms {
		r.do(r.member.isConnected())
	}
	c.sender.turn()
}

func (c *Client) disconnected(becauseTooLarge bool) {
	for _, r := range c.rooms {
		r.member.isDisconnected()
		r.changed()
	}
	c.sender.disconnected(becauseTooLarge)
}

func (c *Client) push(f *frame) {
	if f.Meta == nil {
		c.own(f)
		return
	}
	m := f.message()
	c.onMessage.tell(&c.dispatcher, m)
	if m.Meta.Room == "" {
		if own := c.direct[m.Event]; own != nil {
			own.tell(&c.dispatcher, m)
		}
	} else if r := c.rooms[m.Meta.Room]; r != nil {
		r.came(f)
	}
}

// own is an event of the gateway itself.
func (c *Client) own(f *frame) {
	var data struct{ Room, Reason string }
	// What has another form concerns no room.
	_ = json.Unmarshal(f.Data, &data)
	r := c.rooms[data.Room]
	switch {
	case f.Event == "drain":
		c.onDrain.tell(&c.dispatcher, readDrain(f.Data))
	case r == nil:
	case f.Event == "presence":
		for _, p := range r.presences {
			p.changed(f.Data)
		}
	case f.Event == "revoked":
		reason := data.Reason
		if reason == "" {
			reason = "revoked"
		}
		r.member.revoked(reason)
		r.changed()
	}
}

func readDrain(data json.RawMessage) Drain {
	var drain struct {
		Reason string
		Within float64
	}
	// What has another form gives no time.
	_ = json.Unmarshal(data, &drain)
	return Drain{drain.Reason, time.Duration(drain.Within * float64(time.Millisecond))}
}

// What a link tells.

func (c *Client) opened(k *link) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k == c.session.current {
		c.session.greet(k)
	}
}

func (c *Client) came(k *link, f *frame) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k == c.session.current {
		c.session.came(f)
	}
}

func (c *Client) closed(k *link, end closing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if k == c.session.current {
		c.session.ended(end)
	}
}

func (c *Client) ready(ctx context.Context) { c.dispatcher.ready(ctx) }

// What its parts need of it.

// listen adds something under the lock, and has it taken back under the lock.
func (c *Client) listen(add func() (remove func())) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	remove := add()
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		remove()
	}
}

// soon calls f under the lock, but not now.
func (c *Client) soon(f func()) { c.after(0, f) }

func (c *Client) log(what string, err error) {
	logger := c.options.Logger
	if logger == nil {
		logger = slog.Default()
	}
	logger.Warn("sluice: "+what, "error", err)
}

// news has all look again who wait for something.
func (c *Client) news() {
	close(c.waiters)
	c.waiters = make(chan struct{})
}

// until waits until done says so.
func (c *Client) until(ctx context.Context, done func() (bool, error)) error {
	for {
		c.mu.Lock()
		is, err := done()
		news := c.waiters
		c.mu.Unlock()
		if is || err != nil {
			return err
		}
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *Client) whenConnected(ctx context.Context) error {
	return c.until(ctx, func() (bool, error) {
		state := c.state()
		if state.State == Disconnected {
			message := "the client is disconnected: " + state.Reason + "; mend that, then call Connect"
			return false, &Error{Code: state.Reason, Message: message}
		}
		return state.State == Connected, nil
	})
}

func (c *Client) askWhenConnected(ctx context.Context, r request) (answer, error) {
	c.mu.Lock()
	c.begin()
	c.mu.Unlock()
	if err := c.whenConnected(ctx); err != nil {
		return answer{}, err
	}
	told := make(chan answer, 1)
	c.mu.Lock()
	giveUp := c.session.call(r, func(a answer) { told <- a })
	c.mu.Unlock()
	select {
	case a := <-told:
		if err := a.err(); err != nil {
			return a, err
		}
		return a, nil
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		giveUp()
		return answer{}, ctx.Err()
	}
}

// newID is an id that nobody else makes: 128 random bits, in hexadecimal.
func newID() string {
	var bytes [16]byte
	_, _ = rand.Read(bytes[:])
	return hex.EncodeToString(bytes[:])
}
