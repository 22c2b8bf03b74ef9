"""The client at the gateway: it connects, comes back, and goes on as its session where there still is one."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from .clock import Cancel, Clock
from .core.connection import AskToken, Close, Connection, Open, Step, TokenReason, Wait
from .core.probe import TICK, Probe
from .errors import SluiceError, UnauthorizedError, passes
from .requests import DISCONNECTED, Answered, Request, Requests, ask
from .tokens import Tokens
from .transport import Link
from .wire import Answer, Frame, failure

_log = logging.getLogger("sluice_client")

_OPENING = 10.0
"""So long may a connection take from its first byte until the gateway has let the client in."""

_TOO_LARGE = 1009
"""The close code after a message that is larger than the gateway takes (RFC 6455, section 7.4.1)."""


class SessionListener(Protocol):
    """What a session tells."""

    def changed(self) -> None:
        """The phase, or the reason for it, has changed."""
        ...

    def connected(self) -> None: ...

    def disconnected(self, too_large: bool) -> None: ...

    def push(self, frame: Frame) -> None: ...


class Session:
    """Of one client."""

    def __init__(
        self, url: str, tokens: Tokens, clock: Clock, greeting: dict[str, Any], listener: SessionListener
    ) -> None:
        self.id = ""
        """The public id; empty before it connected."""
        self.user = ""
        self.connection = Connection()
        self._url = url
        self._tokens = tokens
        self._clock = clock
        self._greeting = greeting
        self._listener = listener
        self._requests = Requests()
        self._token: str | None = None
        self._asking: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._last_link: Link | None = None
        self._probe: Probe | None = None
        self._pid: str | None = None
        self._position: str | None = None
        self._stop_timer: Cancel = _nothing
        self._stop_ticks: Cancel = _nothing

    def start(self) -> None:
        """Connects, if it is not about to."""
        if self.connection.phase == "off":
            self._do(self.connection.start())

    def stop(self, reason: str) -> None:
        """Disconnects."""
        self._do(self.connection.stop(reason))

    async def stopped(self) -> None:
        """Waits until nothing of the last connection is left."""
        if self._last_link is not None:
            await self._last_link.ended()

    def wake(self) -> None:
        """There may be a network again, or not any more: finds out at once."""
        if self._probe is not None and self._probe.doubt(self._clock.now()):
            self._ping()
        self._do(self.connection.hurry(self._clock.random()))

    def call(self, request: Request, answered: Answered) -> Cancel:
        """Sends a request; `answered` hears the answer, at once where there is no connection."""
        if self._link is not None and self.connection.phase == "connected":
            return self._send(self._link, request, answered)
        answered(DISCONNECTED)
        return _nothing

    def _send(self, link: Link, request: Request, answered: Answered) -> Cancel:
        def heard(answer: Answer) -> None:
            self._count()
            answered(answer)

        give_up = self._requests.send(link, request, heard)
        self._count()

        def cancel() -> None:
            give_up()
            self._count()

        return cancel

    def _count(self) -> None:
        if self._probe is not None:
            self._probe.waits(len(self._requests), self._clock.now())

    def _do(self, step: Step | None) -> None:
        if step is None:
            return
        self._stop_timer()
        match step:
            case AskToken(reason):
                self._asking = asyncio.ensure_future(self._ask_token(reason))
            case Open():
                self._open()
            case Wait(seconds):
                self._stop_timer = self._clock.after(seconds, lambda: self._do(self.connection.waited()))
            case Close():
                self._close()
        self._listener.changed()

    def _close(self) -> None:
        link = self._link
        if link is not None:
            link.close()
        self._tokens.forget()
        self._pid = self._position = None
        if link is not None:
            self._over()

    async def _ask_token(self, reason: TokenReason) -> None:
        if reason == "refused" and not self._tokens.can_ask:
            self.stop("unauthorized")
            return
        try:
            self._token = await self._tokens.to_connect(reason)
        except (UnauthorizedError, asyncio.CancelledError):
            if self.connection.phase == "token":
                self.stop("unauthorized")
        except Exception as error:
            if self.connection.phase == "token":
                _log.warning("get_token failed, and is called again: %s", error)
                self._do(self.connection.token_failed(self._clock.random()))
        else:
            self._do(self.connection.token())

    def _open(self) -> None:
        self._link = self._last_link = Link(self._url, self)
        self._stop_timer = self._clock.after(_OPENING, lambda: self._give_up("connect_timeout"))

    def opened(self, link: Link) -> None:
        """The way is open: asks to be let in."""
        if link is not self._link:
            return
        token = {} if self._token is None else {"token": self._token}
        recovery = {} if self._pid is None else {"pid": self._pid, "offset": self._position}

        def answered(answer: Answer) -> None:
            # Where it was closed meanwhile, that was told.
            if link is not self._link:
                return
            refused = failure(answer)
            if refused is None:
                self._greeted(answer)
            else:
                self._refused(refused[0])

        self._send(link, {"op": "connect", **token, **self._greeting, **recovery}, answered)

    def _greeted(self, answer: Answer) -> None:
        self._stop_timer()
        self.id = str(answer.get("session", ""))
        self.user = str(answer.get("user") or "")
        pid = answer.get("pid")
        self._pid = pid if isinstance(pid, str) else None
        if answer.get("recovered") is not True:
            self._position = None
        self.connection.greeted(self._clock.now())
        interval = answer.get("pingInterval")
        self._watch_silence(interval / 1000 if isinstance(interval, (int, float)) else 25.0)
        self._tokens.keep_fresh(self._renew, lambda: self.stop("unauthorized"))
        self._listener.changed()
        self._listener.connected()

    def _refused(self, code: str) -> None:
        # Of all refusals only this leaves the connection open, for another namespace; this client asks for one alone.
        if code == "namespace_unknown":
            self.stop(code)
        else:
            self.connection.refused(code)

    async def _renew(self, token: str) -> None:
        try:
            await ask(lambda answered: self.call({"op": "refresh", "token": token}, answered))
        except SluiceError as error:
            if passes(error.code):
                raise
            # Such as the token of another user: a new connection decides.
            self._token = token
            self._give_up(error.code)

    def frame(self, link: Link, frame: Frame) -> None:
        """Something came from the gateway."""
        if link is not self._link:
            return
        if self._probe is not None:
            self._probe.heard(self._clock.now())
        if "ok" in frame:
            self._requests.answered(frame)
        else:
            self._pushed(frame)

    def _pushed(self, frame: Frame) -> None:
        position = frame.get("offset")
        if isinstance(position, str):
            self._position = position
        if frame.get("event") == "drain" and not frame.get("meta"):
            self.connection.drains(self._clock.now() + _within(frame.get("data")))
        self._listener.push(frame)

    def _watch_silence(self, interval: float) -> None:
        self._probe = Probe(self._clock.now(), interval * 1.2)

        def tick() -> None:
            self._stop_ticks = self._clock.after(TICK, tick)
            found = self._probe.look(self._clock.now()) if self._probe is not None else "fine"
            if found == "ping":
                self._ping()
            if found == "dead":
                self._give_up("silent")

        self._stop_ticks = self._clock.after(TICK, tick)

    def _ping(self) -> None:
        # Any answer will do, and none is waited for: the probe does.
        if self._link is not None:
            self._link.send(0, {"op": "ping"})

    def _give_up(self, reason: str) -> None:
        if self._link is not None:
            self._link.give_up()
            self._ended(1006, reason, 0.0)

    def closed(self, link: Link, code: int, reason: str, retry_after: float) -> None:
        """The way has ended."""
        if link is self._link:
            self._ended(code, reason, retry_after)

    def _ended(self, code: int, reason: str, retry_after: float) -> None:
        self._over(code == _TOO_LARGE)
        self._do(self.connection.closed(code, reason, self._clock.now(), self._clock.random(), retry_after))

    def _over(self, too_large: bool = False) -> None:
        self._link = self._probe = None
        self._stop_ticks()
        self._stop_timer()
        self._tokens.rest()
        self._requests.disconnected()
        self._listener.disconnected(too_large)


def _within(data: Any) -> float:
    within = data.get("within") if isinstance(data, dict) else None
    return within / 1000 if isinstance(within, (int, float)) else 0.0


def _nothing() -> None:
    pass
