"""A room."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from .clock import Cancel, Clock
from .core.connection import Wait
from .core.membership import Join, Leave, Membership, RoomPhase, RoomStep
from .errors import SluiceError, passes
from .listeners import Listeners
from .presence import Presence
from .requests import Answered, Request, until
from .sender import Receipt
from .wire import Answer, Frame, Message, Meta, failure, read_message

_LINGER = 0.1
"""So long is a room kept after its last user has gone: parts of a program that are replaced do not leave it."""

_PAGE = 100
"""The most messages of a history that are asked for at once."""


@dataclass(frozen=True)
class RoomState:
    """The state of a room, and why it is in it."""

    state: RoomPhase
    reason: str
    """`new`, `wanted`, `joined`, `left`, `disconnected`, or the code of a refusal: docs/errors.md."""
    recovered: bool | None = None
    """When it was joined again: whether nothing was missed. After `False` read the history and go on from there; in
    a room without history it is always `False`. `None` where it was joined for the first time."""


class Core(Protocol):
    """What rooms need of their client."""

    @property
    def clock(self) -> Clock: ...

    def begin(self) -> str | None:
        """Connects, unless the client has disconnected: then it says why, and waits for `connect()`."""
        ...

    def call(self, request: Request, answered: Answered) -> Cancel: ...

    async def ask_when_connected(self, request: Request) -> Answer: ...

    async def publish(self, room: str, event: str, data: Any, message_id: str | None, echo: bool) -> Receipt: ...

    def room_changed(self) -> None: ...


class Room:
    """A room. It is joined while anybody uses it: each listener, each `join` and each `presence` counts, and all
    parts of a program share one membership."""

    def __init__(self, name: str, core: Core) -> None:
        self.name = name
        self._core = core
        self._member = Membership()
        self._messages = Listeners()
        self._states = Listeners()
        self._presences: list[Presence] = []
        self._users = 0
        self._joins = 0
        self._attempts = 0
        self._told: RoomState | None = None
        self._stop_timer: Cancel = _nothing
        self._stop_linger: Cancel = _nothing

    @property
    def state(self) -> RoomState:
        """Whether it is joined, and why not."""
        return RoomState(self._member.phase, self._member.reason, self._member.recovered)

    @property
    def offset(self) -> int | None:
        """The offset up to which all is read; `None` in a room without history."""
        return self._member.offset

    @property
    def epoch(self) -> str | None:
        """The identity of the room's history; `None` where it has none."""
        return self._member.epoch

    def on(self, event: str, listener: Callable[[Any, Meta], Any]) -> Cancel:
        """Calls the listener, a function or a coroutine function, with the data and the meta of each message of this
        event. Joins the room; the returned function takes both back."""
        return self._use(self._messages.on(f"event {event}", lambda message: listener(message.data, message.meta)))

    def on_message(self, listener: Callable[[Message], Any]) -> Cancel:
        """Calls the listener with each message, whatever its event. Joins the room, as `on` does."""
        return self._use(self._messages.on("messages", listener))

    def on_state(self, listener: Callable[[RoomState], Any]) -> Cancel:
        """Calls the listener whenever the room's state changes, and so when it was joined again. Does not join it."""
        return self._states.on("state", listener)

    async def join(self) -> None:
        """Joins the room until `leave`; returns when it is joined, and raises `SluiceError` if that is refused."""
        self._joins += 1
        self._hold()
        try:
            await until(self._is_joined, self.on_state)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Takes one `join` back."""
        if self._joins > 0:
            self._joins -= 1
            self._release()

    async def publish(self, event: str, data: Any, *, id: str | None = None, echo: bool = True) -> Receipt:
        """Publishes to the room; one need not have joined it.

        It waits in the outbox while there is no connection, and returns when the gateway has taken it. The client
        makes an id unless given; the same id again is stored once. With `echo=False` the publisher does not get it.
        """
        return await self._core.publish(self.name, event, data, id, echo)

    async def history(
        self, *, before: int | None = None, after: int | None = None, limit: int | None = None
    ) -> AsyncIterator[Message]:
        """The messages that the room keeps, a page at a time: without `after` from the newest to the oldest, with it
        from the oldest to the newest."""
        left = limit
        while left is None or left > 0:
            count = _PAGE if left is None else min(left, _PAGE)
            part = {} if before is None else {"before": before}
            part = part if after is None else {"after": after}
            answer = await self._core.ask_when_connected({"op": "history", "room": self.name, "limit": count, **part})
            messages = [read_message(frame) for frame in answer.get("messages") or ()]
            more = answer.get("more") is True or len(messages) == count
            for message in messages if after is not None else reversed(messages):
                yield message
            if not more or not messages:
                return
            left = None if left is None else left - len(messages)
            if after is not None:
                after = messages[-1].meta.offset
            else:
                before = messages[0].meta.offset

    def presence(self) -> Presence:
        """Who is in the room, kept up to date until it is closed. Joins the room."""

        def close() -> None:
            if presence in self._presences:
                self._presences.remove(presence)

        presence = Presence(self._use(close))
        self._presences.append(presence)
        if self._member.phase == "joined":
            self._ask_presence()
        return presence

    def _is_joined(self) -> bool:
        if self._member.phase != "unsubscribed":
            return self._member.phase == "joined"
        reason = self._member.reason
        raise SluiceError(reason, f"the room {self.name} could not be joined: {reason}")

    def _connected(self) -> None:
        self._do(self._member.connected())

    def _disconnected(self) -> None:
        self._member.disconnected()
        self._changed()

    def _over(self, reason: str) -> None:
        self._member.over(reason)
        self._changed()

    def _message(self, frame: Frame) -> None:
        message = read_message(frame)
        if self._member.takes(message.meta):
            self._messages.tell(f"event {message.event}", message)
            self._messages.tell("messages", message)

    def _presence_changed(self, change: dict[str, Any]) -> None:
        for presence in list(self._presences):
            presence._changed(change)

    def _revoked(self, reason: str) -> None:
        self._member.revoked(reason)
        self._changed()

    def _use(self, off: Cancel) -> Cancel:
        self._hold()
        held = True

        def release() -> None:
            nonlocal held
            if held:
                held = False
                off()
                self._release()

        return release

    def _hold(self) -> None:
        self._users += 1
        self._stop_linger()
        over = self._core.begin()
        self._do(self._member.want(True))
        if over is not None:
            self._over(over)

    def _release(self) -> None:
        self._users -= 1
        if self._users == 0:
            self._stop_linger = self._core.clock.after(_LINGER, lambda: self._do(self._member.want(False)))

    def _do(self, step: RoomStep | None) -> None:
        if step is not None:
            self._stop_timer()
        self._changed()
        match step:
            case Join():
                self._ask_to_join(step)
            case Leave():
                self._core.call({"op": "leave", "room": self.name}, lambda _: None)
            case Wait(seconds):
                self._stop_timer = self._core.clock.after(seconds, lambda: self._do(self._member.waited()))

    def _ask_to_join(self, step: Join) -> None:
        self._attempts += 1
        attempt = self._attempts
        since = {} if step.after is None else {"after": step.after, "epoch": step.epoch}

        def answered(answer: Answer) -> None:
            refused = failure(answer)
            # It was left and joined again meanwhile, or is joined again once the connection is back.
            if attempt != self._attempts or (refused is not None and refused[0] == "disconnected"):
                return
            self._do(self._member.answered(answer, self._core.clock.random()))
            if self._member.phase == "joined":
                self._ask_presence()

        self._core.call({"op": "join", "room": self.name, **since}, answered)

    def _ask_presence(self) -> None:
        asked = list(self._presences)
        if not asked:
            return
        for presence in asked:
            presence._asked()

        def answered(answer: Answer) -> None:
            refused = failure(answer)
            if refused is None:
                for presence in asked:
                    presence._snapshot(answer)
            elif passes(refused[0]) and refused[0] != "disconnected":
                self._core.clock.after(1.0, self._ask_presence)

        self._core.call({"op": "presence", "room": self.name}, answered)

    def _changed(self) -> None:
        state = self.state
        if state == self._told:
            return
        self._told = state
        self._states.tell("state", state)
        self._core.room_changed()


def _nothing() -> None:
    pass
