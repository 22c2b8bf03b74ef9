"""One room: whether the client is a member, and how far it has read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import passes
from ..wire import Answer, Meta, failure
from .backoff import Backoff
from .connection import Wait

RoomPhase = Literal["unsubscribed", "joining", "joined"]
"""Whether the client is a member of a room: `joining` also while it comes back."""


@dataclass(frozen=True)
class Join:
    """Join, and go on after this offset of this history."""

    after: int | None = None
    epoch: str | None = None


@dataclass(frozen=True)
class Leave:
    """Leave."""


RoomStep = Join | Leave | Wait
"""What the client sends about a room next."""


class Membership:
    """Decides; it sends nothing."""

    def __init__(self) -> None:
        self.phase: RoomPhase = "unsubscribed"
        self.reason = "new"
        """`new`, `wanted`, `left`, `joined`, `disconnected`, or the code of a refusal."""
        self.recovered: bool | None = None
        """Whether nothing was missed when it was joined last; `None` where it was the first time."""
        self.epoch: str | None = None
        """The history's identity; `None` where the room has none."""
        self.offset: int | None = None
        """The offset up to which all is read."""
        self._wanted = False
        self._connected = False
        self._joined_before = False
        self._backoff = Backoff(1.0, 30.0)

    def want(self, wanted: bool) -> RoomStep | None:
        """Somebody wants the room's messages, or nobody does any more."""
        if wanted == self._wanted:
            return None
        self._wanted = wanted
        if wanted:
            return self._join("wanted")
        member = self.phase != "unsubscribed" and self._connected
        # Why it was refused stays to be seen.
        if self.phase != "unsubscribed":
            self._away("left")
        # What comes until it is joined again is not wanted, so it is nothing to go on from.
        self.epoch = self.offset = self.recovered = None
        self._joined_before = False
        return Leave() if member else None

    def connected(self) -> RoomStep | None:
        """There is a connection. A session that was recovered joins again too: it might not be allowed to any more."""
        self._connected = True
        self._backoff.reset()
        return self._join("wanted") if self._wanted else None

    def disconnected(self) -> None:
        """There is none any more, and the client comes back by itself."""
        self._connected = False
        if self._wanted:
            self.phase = "joining"
            self.reason = "disconnected"

    def over(self, reason: str) -> None:
        """The client does not come back by itself. If it does, it goes on from where it was."""
        self._connected = False
        if self._wanted:
            self._away(reason)

    def waited(self) -> RoomStep | None:
        """The pause after a refusal is over."""
        return self._join("wanted") if self._wanted and self.phase == "joining" else None

    def answered(self, answer: Answer, random: float) -> RoomStep | None:
        """The answer to the last `join`."""
        if self.phase != "joining" or not self._connected:
            return None
        refused = failure(answer)
        if refused is not None:
            return self._refused(refused[0], random)
        epoch, offset = answer.get("epoch"), answer.get("offset")
        recovered = answer.get("recovered") is True
        self.recovered = recovered if self._joined_before else None
        # What was missed has come before the answer, and has said how far it is. The answer's own offset counts
        # where the room is read from there on.
        if not recovered or epoch != self.epoch:
            self.offset = None if epoch is None else offset
        self.epoch = epoch
        self._joined_before = True
        self.phase = "joined"
        self.reason = "joined"
        return None

    def takes(self, meta: Meta) -> bool:
        """Whether a message is one that the client has not had."""
        if not self._wanted:
            return False
        if meta.offset is None:
            return True
        if self.offset is not None and meta.offset <= self.offset:
            return False
        self.offset = meta.offset
        return True

    def revoked(self, reason: str) -> None:
        """The gateway has taken the session out of the room."""
        self._away(reason)

    def _join(self, reason: str) -> RoomStep | None:
        self.phase = "joining"
        self.reason = reason
        if not self._connected:
            return None
        known = self.epoch is not None and self.offset is not None
        return Join(self.offset, self.epoch) if known else Join()

    def _refused(self, code: str, random: float) -> RoomStep | None:
        if passes(code):
            self.reason = code
            return Wait(self._backoff.next(random, 0.2))
        self._away(code)
        return None

    def _away(self, reason: str) -> None:
        self.phase = "unsubscribed"
        self.reason = reason
