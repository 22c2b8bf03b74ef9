"""A client of one gateway, or of a fleet of them."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, overload

from .clock import Cancel, Clock, SystemClock
from .core.outbox import Item, OutboxLimits, Scope, Way
from .errors import SluiceError
from .listeners import Listeners
from .requests import Answered, Request, ask, until
from .room import Room
from .sender import Receipt, Sender, Settled
from .session import Session
from .store import OutboxStore
from .tokens import GetToken, Tokens
from .transport import plain_url
from .wire import Answer, Frame, Message, attach, body, read_message


@dataclass(frozen=True)
class ClientState:
    """The state of a client, and why it is in it."""

    state: Literal["disconnected", "connecting", "connected"]
    reason: str
    """The name of the close or the code of the refusal that led to it, or `new`, `connected`, `disconnected`,
    `unauthorized`."""


@dataclass(frozen=True)
class Drain:
    """The gateway drains, and closes the connection within so many seconds. The client comes back by itself."""

    reason: str
    within: float


@dataclass(frozen=True)
class Throttled:
    """Messages are refused because they come too fast."""

    messages_per_second: int


class Client:
    """A client. It connects as soon as something wants it: `connect`, a room, a publication, a request.

    It lives in one event loop, and all its methods are to be called there. `async with Client(url) as client:`
    connects, and disconnects at the end.

    - `get_token` is the way to a token; without it the client connects without one.
    - `namespace`: rooms belong to one; it is `/` unless given.
    - `auth`: any JSON for the backend, where it is told of connects.
    - `outbox`: its bounds; `store`: where it is kept over a restart, such as a `FileStore`.
    """

    def __init__(
        self,
        url: str,
        *,
        get_token: GetToken | None = None,
        namespace: str | None = None,
        auth: Any = None,
        outbox: OutboxLimits | None = None,
        store: OutboxStore | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._clock = clock or SystemClock()
        plain_url(url)
        own = {"namespace": namespace, "auth": auth}
        greeting = {name: value for name, value in own.items() if value is not None}
        self._session = Session(url, Tokens(get_token, self._clock), self._clock, greeting, self)
        self._sender = Sender(outbox or OutboxLimits(), store, self._clock, self)
        self._listeners = Listeners()
        self._rooms: dict[str, Room] = {}
        # Rooms that were seen to have a history.
        self._kept: set[str] = set()
        self._told: ClientState | None = None

    @property
    def state(self) -> ClientState:
        """Whether it is connected, and why not."""
        phase, reason = self._session.connection.phase, self._session.connection.reason
        if phase == "off":
            return ClientState("disconnected", reason)
        return ClientState("connected" if phase == "connected" else "connecting", reason)

    @property
    def session_id(self) -> str:
        """The session's public id; empty before it connected."""
        return self._session.id

    @property
    def user(self) -> str:
        """The user of its token; empty before it connected, and without one."""
        return self._session.user

    @property
    def outbox(self) -> list[Item]:
        """The publications that wait or are unanswered."""
        return list(self._sender.outbox)

    @overload
    def on(self, event: Literal["state"], listener: Callable[[ClientState], Any]) -> Cancel: ...
    @overload
    def on(self, event: Literal["settled"], listener: Callable[[Settled], Any]) -> Cancel: ...
    @overload
    def on(self, event: Literal["outbox"], listener: Callable[[int], Any]) -> Cancel: ...
    @overload
    def on(self, event: Literal["drain"], listener: Callable[[Drain], Any]) -> Cancel: ...
    @overload
    def on(self, event: Literal["throttled"], listener: Callable[[Throttled], Any]) -> Cancel: ...
    @overload
    def on(self, event: Literal["message"], listener: Callable[[Message], Any]) -> Cancel: ...
    def on(self, event: str, listener: Callable[[Any], Any]) -> Cancel:
        """Calls the listener with each such event, until the returned function is called.

        `state`: its state has changed. `settled`: a publication was taken, was refused, or has failed, also one from
        before a restart. `outbox`: so many publications wait. `drain` and `throttled`: the gateway says so.
        `message`: every message, for whoever wants to look.
        """
        if event not in ("state", "settled", "outbox", "drain", "throttled", "message"):
            raise ValueError(f"a client has no event {event!r}; a room's messages come to client.room(name).on(…)")
        return self._listeners.on(event, listener)

    def on_direct(self, event: str, listener: Callable[[Message], Any]) -> Cancel:
        """Calls the listener with messages of this event that were sent to the user or to everybody, and not to a
        room."""
        return self._listeners.on(f"direct {event}", listener)

    async def connect(self) -> None:
        """Connects, and stays so until `disconnect`. Returns when it is connected, and raises `SluiceError` where it
        cannot be."""
        self._sender.open()
        self._session.start()
        await self._when_connected()

    def disconnect(self) -> None:
        """Disconnects, until `connect`. What waits in the outbox, and what is published meanwhile, waits for that."""
        self._session.stop("disconnected")

    async def __aenter__(self) -> Client:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disconnect()
        await self._session.stopped()

    def wake(self) -> None:
        """Says that the network or the machine may be back. The client then finds out at once whether its connection
        still carries anything, or waits no longer for its next attempt."""
        self._session.wake()

    def room(self, name: str) -> Room:
        """A room; the same object each time. It is joined when something uses it."""
        room = self._rooms.get(name)
        if room is None:
            room = self._rooms[name] = Room(name, self)
            if self._session.connection.phase == "connected":
                room._connected()
        return room

    async def direct(self, user: str, event: str, data: Any) -> None:
        """Sends to all connected sessions of a user. It is not kept for who is away."""
        await self.ask_when_connected({"op": "direct", "user": user, "event": event, **body(data)})

    async def broadcast(self, event: str, data: Any) -> None:
        """Sends to every session of the namespace; the token has to allow it."""
        await self.ask_when_connected({"op": "broadcast", "event": event, **body(data)})

    async def emit(self, event: str, data: Any) -> Any:
        """Sends an event to the application's backend, and returns what it answers."""
        answer = await self.ask_when_connected({"op": "emit", "event": event, **body(data)})
        return attach(answer.get("data"), answer.get("attachments"))

    # What its parts need of it.

    @property
    def clock(self) -> Clock:
        """Its time."""
        return self._clock

    def begin(self) -> str | None:
        """Connects for the first time; who has disconnected comes back by `connect` alone."""
        connection = self._session.connection
        if connection.phase == "off" and connection.reason != "new":
            return connection.reason
        self._sender.open()
        self._session.start()
        return None

    def call(self, request: Request, answered: Answered) -> Cancel:
        """Sends a request; `answered` hears the answer before anything that came behind it is told."""
        return self._session.call(request, answered)

    async def ask(self, request: Request) -> Answer:
        """Sends a request, and raises its refusal."""
        return await ask(lambda answered: self._session.call(request, answered))

    async def ask_when_connected(self, request: Request) -> Answer:
        """As `ask`, once there is a connection."""
        self.begin()
        await self._when_connected()
        return await self.ask(request)

    async def publish(self, room: str, event: str, data: Any, message_id: str | None, echo: bool) -> Receipt:
        """As `Room.publish`."""
        sent = body(data)
        size = len(json.dumps([room, event, sent], separators=(",", ":"), allow_nan=False))
        self.begin()
        item = Item(
            id=message_id or secrets.token_hex(16),
            room=room,
            event=event,
            data=sent["data"],
            attachments=sent.get("attachments", []),
            echo=echo,
            bytes=size,
            at=self._clock.now(),
        )
        return await self._sender.publish(item)

    def gate(self, name: str) -> Way | None:
        """Where a room's publications would go now."""
        if self._session.connection.phase != "connected":
            return None
        room = self._rooms.get(name)
        publisher = self._session.user or self._session.id
        state = "unsubscribed" if room is None else room.state.state
        if state == "joining":
            return None
        if room is not None and state == "joined":
            return Way() if room.epoch is None else Way(Scope(publisher, room.epoch))
        return Way(Scope(publisher)) if name in self._kept else Way()

    def settled(self, settled: Settled) -> None:
        """A publication has its end."""
        if settled.receipt is not None and settled.receipt.offset is not None:
            self._kept.add(settled.item.room)
        self._listeners.tell("settled", settled)

    def outbox_changed(self) -> None:
        """What waits has changed."""
        self._listeners.tell("outbox", self._sender.outbox.items)

    def room_changed(self) -> None:
        """A room's state has changed."""
        self._sender.turn()

    def changed(self) -> None:
        """Its state may have changed."""
        state = self.state
        if state == self._told:
            return
        self._told = state
        if state.state == "disconnected":
            for room in list(self._rooms.values()):
                room._over(state.reason)
        self._listeners.tell("state", state)

    def connected(self) -> None:
        """The gateway has let it in."""
        for room in list(self._rooms.values()):
            room._connected()
        self._sender.turn()

    def disconnected(self, too_large: bool) -> None:
        """The connection has ended."""
        for room in list(self._rooms.values()):
            room._disconnected()
        self._sender.disconnected(too_large)

    def push(self, frame: Frame) -> None:
        """An event has come."""
        if not frame.get("meta"):
            self._own(str(frame.get("event")), frame.get("data"))
            return
        message = read_message(frame)
        self._listeners.tell("message", message)
        room = None if message.meta.room is None else self._rooms.get(message.meta.room)
        if room is not None:
            room._message(frame)
        elif message.meta.room is None:
            self._listeners.tell(f"direct {message.event}", message)

    def _own(self, event: str, data: Any) -> None:
        """An event of the gateway itself."""
        data = data if isinstance(data, dict) else {}
        room = self._rooms.get(str(data.get("room")))
        if event == "presence" and room is not None:
            room._presence_changed(data)
        if event == "revoked" and room is not None:
            room._revoked(str(data.get("reason") or "revoked"))
        if event == "drain":
            self._listeners.tell("drain", Drain(str(data.get("reason")), float(data.get("within", 0)) / 1000))
        if event == "throttled":
            self._listeners.tell("throttled", Throttled(int(data.get("messagesPerSecond", 0))))

    async def _when_connected(self) -> None:
        def is_connected() -> bool:
            state = self.state
            if state.state != "disconnected":
                return state.state == "connected"
            message = f"the client is disconnected: {state.reason}; mend that, then call connect()"
            raise SluiceError(state.reason, message)

        await until(is_connected, lambda look: self._listeners.on("state", look))
