package sluice

import (
	"encoding/base64"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

var zero = time.UnixMilli(0)

func after(seconds float64) time.Time { return zero.Add(time.Duration(seconds * float64(time.Second))) }

func letIn(t *testing.T) connection {
	t.Helper()
	c := newConnection()
	if c.start() != (askToken{TokenConnect}) || c.token() != (openLink{}) {
		t.Fatal("it does not connect")
	}
	c.greeted(zero)
	return c
}

func same(t *testing.T, got, wanted any) {
	t.Helper()
	if !reflect.DeepEqual(got, wanted) {
		t.Fatalf("%#v is not %#v", got, wanted)
	}
}

func TestADrainedClientComesBackAtOnceAndLaterWhenThatRepeats(t *testing.T) {
	c := letIn(t)
	same(t, c.closed(closing{code: 4000, reason: "drain"}, after(1), 0.5), step(wait{100 * time.Millisecond}))
	c.waited()
	c.token()
	c.greeted(after(2))
	same(t, c.closed(closing{code: 4000, reason: "drain"}, after(3), 1), step(wait{time.Second}))
}

func TestPausesDoubleAndBeginAnewAfterAGoodConnection(t *testing.T) {
	c := letIn(t)
	for _, wanted := range []float64{0.5, 1, 2, 4, 8, 16, 20, 20} {
		same(t, c.closed(closing{code: 1006}, zero, 1), step(wait{time.Duration(wanted * float64(time.Second))}))
		c.waited()
		c.token()
	}
	c.greeted(zero)
	same(t, c.closed(closing{code: 1006}, after(10), 1), step(wait{500 * time.Millisecond}))
}

func TestAClientThatIsToldToStayAwayDoes(t *testing.T) {
	for _, code := range []int{4500, 4501, 4502, 4504, 4999} {
		c := letIn(t)
		same(t, c.closed(closing{code: code, reason: "because"}, after(1), 0.5), step(closeLink{}))
		same(t, c.waited(), step(nil))
	}
}

func TestARefusedTokenIsReplacedOnce(t *testing.T) {
	c := newConnection()
	c.start()
	for _, wanted := range []step{askToken{TokenRefused}, closeLink{}} {
		c.token()
		c.refused("token_expired")
		same(t, c.closed(closing{code: 4503}, zero, 0.5), wanted)
	}
	same(t, c.reason, "unauthorized")
}

func TestWhatWasSentToAHistoryIsSentAgainAndWhatWasNotIsInDoubt(t *testing.T) {
	o := newOutbox(OutboxLimits{})
	kept, fleeting := &Item{ID: "1", Room: "kept", At: zero}, &Item{ID: "2", Room: "fleeting", At: zero}
	o.restore(kept)
	o.restore(fleeting)
	scope := &Scope{"ann", "e1"}
	o.turn(zero, func(room string) (*Scope, bool) {
		if room == "kept" {
			return scope, true
		}
		return nil, true
	})
	lost := o.disconnected(false)
	same(t, len(lost) == 1 && lost[0].item == fleeting && lost[0].err.Code == "in_doubt", true)
	inScope := func(string) (*Scope, bool) { return scope, true }
	same(t, o.turn(after(1), inScope).send, []*Item{kept})
	o.disconnected(false)
	same(t, o.turn(zero.Add(foundOut), inScope).failed[0].err.Code, "in_doubt")
}

func TestOnlyTheFirstOfARoomIsOnItsWayAndAsManyWaitAsMay(t *testing.T) {
	o := newOutbox(OutboxLimits{Items: 2})
	first, second := &Item{ID: "1", Room: "r", At: zero}, &Item{ID: "2", Room: "r", At: zero}
	same(t, o.add(first), (*Error)(nil))
	same(t, o.add(second), (*Error)(nil))
	same(t, o.add(&Item{ID: "3", Room: "r", At: zero}).Code, "outbox_full")
	open := func(string) (*Scope, bool) { return nil, true }
	same(t, o.turn(zero, open).send, []*Item{first})
	same(t, len(o.turn(zero, open).send), 0)
	same(t, o.refused(first, "rate_limited", zero, 1), true)
	same(t, len(o.turn(after(1), open).send), 0)
	same(t, o.turn(after(1.2), open).send, []*Item{first})
	same(t, o.settle(first), true)
	same(t, o.turn(after(2), open).send, []*Item{second})
}

func TestAConnectionThatAnswersNothingIsDeadWithinFiveSeconds(t *testing.T) {
	p := newProbe(zero, 30*time.Second)
	p.waits(1, after(0.5))
	for second, wanted := range []finding{fine, doubtful, fine, fine, dead} {
		same(t, p.look(after(float64(second+1))), wanted)
	}
}

func TestATokenIsRenewedInTheLastPartOfItsLife(t *testing.T) {
	token := func(claims string) string { return "h." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".s" }
	got, ok := renewAfter(token(`{"exp":1100,"iat":1000}`), after(1000), 0)
	same(t, []any{got, ok}, []any{80 * time.Second, true})
	for _, none := range []string{token(`{}`), token(`{"exp":"soon"}`), "nonsense", "a.b.c", ""} {
		_, ok := renewAfter(none, after(1000), 0)
		same(t, ok, false)
	}
}

func TestAURLIsWhereThePlainProtocolIs(t *testing.T) {
	for url, wanted := range map[string]string{
		"https://rt.example.com":       "wss://rt.example.com/ws",
		"ws://localhost:3000/?a=b":     "ws://localhost:3000/ws?a=b",
		"https://example.com/realtime": "wss://example.com/realtime",
	} {
		got, err := plainURL(url)
		same(t, []any{got, err}, []any{wanted, error(nil)})
	}
	for _, wrong := range []string{"localhost:3000", "ftp://example.com", "https://"} {
		if _, err := New(wrong, Options{}); err == nil {
			t.Fatalf("%s is taken", wrong)
		}
	}
}

func TestTheOutboxIsThereAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.json")
	store := FileStore(path)
	items, err := store.Open()
	same(t, []any{len(items), err}, []any{0, error(nil)})
	sent := after(6)
	item := Item{ID: "1", Room: "r", Data: []byte(`{"a":1}`), At: after(5), Sent: &sent, Scope: &Scope{"ann", "e1"}}
	same(t, store.Put(item), error(nil))
	same(t, store.Put(Item{ID: "2", Room: "r", Data: []byte(`null`), At: after(5)}), error(nil))
	same(t, store.Remove("nobody"), error(nil))
	items, err = FileStore(path).Open()
	same(t, err, error(nil))
	same(t, []any{items[0].ID, *items[0].Scope, items[0].Sent.Equal(sent), items[1].ID}, []any{"1", Scope{"ann", "e1"}, true, "2"})
}
