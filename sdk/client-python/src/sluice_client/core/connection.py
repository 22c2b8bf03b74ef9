"""When the client connects, and what the end of a connection leads to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .backoff import Backoff
from .close import close_name, return_after

TokenReason = Literal["connect", "expiring", "refused"]
"""Why a token is asked for."""

Phase = Literal["off", "waiting", "token", "opening", "connected"]
"""`off`: not wanted, or ended for good; `waiting`: until the next attempt; `token`: for the application's token;
`opening`: the way opens, and the gateway is asked to connect."""


@dataclass(frozen=True)
class AskToken:
    """Ask the application for a token."""

    reason: TokenReason


@dataclass(frozen=True)
class Open:
    """Open a way to the gateway."""


@dataclass(frozen=True)
class Close:
    """Close what there is."""


@dataclass(frozen=True)
class Wait:
    """Wait so many seconds."""

    seconds: float


Step = AskToken | Open | Close | Wait
"""What the client does about its connection next."""

GOOD = 10.0
"""A connection that lasted so long was a good one: the pauses begin anew after it."""

SOON = 0.2
"""At most so long after a wake does the next attempt begin: not all clients of an office at once."""

SPREAD = 5.0
"""The most over which clients spread that lose a gateway in the middle of its drain."""


def _about_token(code: str) -> bool:
    """Whether another token may be let in where one was refused with this code."""
    return code.startswith("token_") or code == "key_unknown"


class Connection:
    """Decides; it opens nothing."""

    def __init__(self) -> None:
        self.phase: Phase = "off"
        self.reason = "new"
        """Why it is not connected: a close's name, a refusal's code, or what the client itself did."""
        self._backoff = Backoff()
        self._since = 0.0
        self._refused: str | None = None
        self._drained = 0.0
        self._token_tried = False

    def start(self) -> Step | None:
        """The application wants to be connected."""
        if self.phase != "off":
            return None
        self._token_tried = False
        self._refused = None
        self._backoff.reset()
        return self._ask("connect")

    def stop(self, reason: str) -> Step:
        """The application wants it no more, or nothing can be done: `reason` says which."""
        self.phase = "off"
        self.reason = reason
        return Close()

    def token(self) -> Step | None:
        """`get_token` has answered."""
        if self.phase != "token":
            return None
        self.phase = "opening"
        return Open()

    def token_failed(self, random: float) -> Step | None:
        """`get_token` has failed with something that may pass."""
        return self._wait("token_failed", self._backoff.next(random)) if self.phase == "token" else None

    def greeted(self, now: float) -> None:
        """The gateway has let the client in."""
        self.phase = "connected"
        self.reason = "connected"
        self._since = now
        self._drained = 0.0
        self._token_tried = False
        self._refused = None

    def refused(self, code: str) -> None:
        """The gateway has not let the client in; it closes the connection next, which says what to do."""
        self._refused = code

    def closed(self, code: int, reason: str, now: float, random: float, retry_after: float = 0.0) -> Step | None:
        """The connection has ended, or did not come about; `retry_after` is what an HTTP answer asked for."""
        if self.phase not in ("opening", "connected"):
            return None
        if self.phase == "connected" and now - self._since >= GOOD:
            self._backoff.reset()
        refused = self._refused
        why = refused if refused is not None else close_name(code, reason)
        then = "token" if refused is not None and _about_token(refused) else return_after(code)
        if then == "never":
            return self.stop(why)
        if then == "token":
            if self._token_tried and refused is not None:
                return self.stop("unauthorized")
            self._token_tried = True
            return self._ask("refused")
        if then == "now":
            # The first time at once; a gateway that does so again and again is not stormed.
            first = self._backoff.attempts == 0
            pause = self._backoff.next(random)
            return self._wait(why, random * SOON if first else pause)
        pause = self._backoff.next(random, max(retry_after, 1.0 if then == "pause" else 0.0))
        # It went before it had closed everybody: all who were left come back together.
        spread = random * min(self._drained - now, SPREAD)
        return self._wait(why, max(pause, spread))

    def drains(self, until: float) -> None:
        """The gateway has said that it drains, and closes its connections one after the other until then."""
        self._drained = until

    def waited(self) -> Step | None:
        """The pause is over."""
        return self._ask("connect") if self.phase == "waiting" else None

    def hurry(self, random: float) -> Step | None:
        """The network is back, or the machine is awake again: what waits need not wait longer."""
        return Wait(random * SOON) if self.phase == "waiting" else None

    def _ask(self, reason: TokenReason) -> Step:
        self.phase = "token"
        return AskToken(reason)

    def _wait(self, reason: str, seconds: float) -> Step:
        self.phase = "waiting"
        self.reason = reason
        return Wait(seconds)
