"""What is published when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ..errors import SluiceError, passes
from .backoff import Backoff


@dataclass(frozen=True)
class OutboxLimits:
    """How much may wait, and for how long."""

    items: int = 1_000
    """Publications that wait or are unanswered."""
    bytes: int = 4 << 20
    """Their size together, as they are sent."""
    age: float = 600.0
    """How long one may wait that was never sent, in seconds."""


@dataclass(frozen=True)
class Scope:
    """Within what a repetition is found out: the publisher, and the room's history where the room is joined.

    A repetition that is sent within another is delivered a second time.
    """

    publisher: str
    epoch: str | None = None


@dataclass(eq=False)
class Item:
    """A publication that waits, or is unanswered."""

    id: str
    room: str
    event: str
    data: Any
    attachments: list[str]
    echo: bool
    bytes: int
    at: float
    """When the application published it, in seconds since 1970."""
    sent: float | None = None
    """When it was sent for the first time, since when it may be stored."""
    scope: Scope | None = None
    """Where it was sent; `None` where nobody finds a repetition out, as in a room without history."""


@dataclass(frozen=True)
class Way:
    """A room's publications can go out."""

    scope: Scope | None = None


Gate = Callable[[str], "Way | None"]
"""Where a room's publications would go; `None` says not now."""


@dataclass(frozen=True)
class Failed:
    """A publication that failed, and why."""

    item: Item
    error: SluiceError


@dataclass
class Turn:
    """What is to be done: send these, in this order, and tell of those that failed."""

    send: list[Item] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    at: float | None = None
    """When the next turn is due at the latest, if nothing else happens."""


FOUND_OUT = 110.0
"""A fleet finds repetitions out for two minutes after it has stored the first. An item is stored at the earliest
when it is sent first, and a repetition has to arrive in time."""


@dataclass
class _Lane:
    """The publications for one room. Only the first is ever on its way: no refusal can change their order."""

    items: list[Item] = field(default_factory=list)
    backoff: Backoff = field(default_factory=lambda: Backoff(1.0, 30.0))
    on_its_way: bool = False
    not_before: float = 0.0


class Outbox:
    """Decides; it sends nothing and keeps nothing."""

    def __init__(self, limits: OutboxLimits) -> None:
        self._limits = limits
        self._lanes: dict[str, _Lane] = {}
        self.items = 0
        self.bytes = 0

    def __iter__(self) -> Iterator[Item]:
        """All that waits or is unanswered; those of one room in their order."""
        for lane in self._lanes.values():
            yield from lane.items

    def add(self, item: Item) -> SluiceError | None:
        """Takes a publication, or says why not."""
        if self.items >= self._limits.items or self.bytes + item.bytes > self._limits.bytes:
            waits = f"{self.items} publications of {self.bytes} bytes wait"
            return SluiceError("outbox_full", f"{waits}; publish again when some of them are sent")
        self.restore(item)
        return None

    def restore(self, item: Item) -> None:
        """Takes a publication that was kept over a restart."""
        self._lanes.setdefault(item.room, _Lane()).items.append(item)
        self.items += 1
        self.bytes += item.bytes

    def turn(self, now: float, gate: Gate) -> Turn:
        """What is to be done now."""
        turn = Turn(failed=self._overdue(now))
        times: list[float] = []
        for lane in list(self._lanes.values()):
            item = None if lane.on_its_way else self._next(lane, now, gate, turn.failed)
            if item is not None:
                turn.send.append(item)
            times.extend(self._until(left) for left in lane.items)
            if lane.items and not lane.on_its_way and lane.not_before > now:
                times.append(lane.not_before)
        turn.at = min(times, default=None)
        return turn

    def settle(self, item: Item) -> bool:
        """It is stored, refused for good, or not wanted any more. Says whether it was there."""
        lane = self._lanes.get(item.room)
        if lane is None or item not in lane.items:
            return False
        if item is lane.items[0]:
            lane.on_its_way = False
        lane.backoff.reset()
        lane.not_before = 0.0
        self._remove(lane, item)
        return True

    def refused(self, item: Item, code: str, now: float, random: float) -> bool:
        """The gateway has refused it with this code. Says whether it stays, to be sent again after a pause."""
        lane = self._lanes.get(item.room)
        if lane is None or not lane.items or lane.items[0] is not item or not passes(code):
            return False
        lane.on_its_way = False
        lane.not_before = now + lane.backoff.next(random, 0.2)
        # A refusal for being too fast says that it was not taken; the others leave that open.
        if code not in ("overloaded", "backbone_unavailable", "disconnected"):
            item.sent = item.scope = None
        return True

    def disconnected(self, too_large: bool = False) -> list[Failed]:
        """What is on its way is not answered any more. Returns what nobody could find out the repetition of.

        Where the gateway has closed because a message was `too_large`, the largest fails too: it would end the
        next connection as well.
        """
        failed = self._fail_largest() if too_large else []
        for lane in list(self._lanes.values()):
            if lane.on_its_way and lane.items and lane.items[0].scope is None:
                failed.append(self._fail(lane, lane.items[0], _in_doubt()))
            lane.on_its_way = False
            lane.not_before = 0.0
        return failed

    def _fail_largest(self) -> list[Failed]:
        on_its_way = [lane for lane in self._lanes.values() if lane.on_its_way and lane.items]
        if not on_its_way:
            return []
        lane = max(on_its_way, key=lambda lane: lane.items[0].bytes)
        lane.on_its_way = False
        message = "the gateway takes no message so large; publish less at once"
        return [self._fail(lane, lane.items[0], SluiceError("message_too_large", message))]

    def _next(self, lane: _Lane, now: float, gate: Gate, failed: list[Failed]) -> Item | None:
        while lane.items:
            item = lane.items[0]
            way = gate(item.room) if lane.not_before <= now else None
            if way is None:
                return None
            if item.sent is not None and not _is_found_out(item.scope, way.scope):
                failed.append(self._fail(lane, item, _in_doubt()))
                continue
            item.sent = now if item.sent is None else item.sent
            item.scope = way.scope or item.scope
            lane.on_its_way = True
            return item
        return None

    def _overdue(self, now: float) -> list[Failed]:
        failed = []
        for lane in list(self._lanes.values()):
            for item in [item for item in lane.items if self._until(item) <= now]:
                if item is lane.items[0]:
                    lane.on_its_way = False
                failed.append(self._fail(lane, item, _expired() if item.sent is None else _in_doubt()))
        return failed

    def _until(self, item: Item) -> float:
        return item.at + self._limits.age if item.sent is None else item.sent + FOUND_OUT

    def _fail(self, lane: _Lane, item: Item, error: SluiceError) -> Failed:
        self._remove(lane, item)
        return Failed(item, error)

    def _remove(self, lane: _Lane, item: Item) -> None:
        lane.items.remove(item)
        self.items -= 1
        self.bytes -= item.bytes
        if not lane.items and not lane.not_before:
            self._lanes.pop(item.room, None)


def _is_found_out(sent: Scope | None, now: Scope | None) -> bool:
    """Whether what was sent within one scope is found out to be a repetition in the other."""
    if sent is None or now is None or sent.publisher != now.publisher:
        return False
    return sent.epoch is None or now.epoch is None or sent.epoch == now.epoch


def _in_doubt() -> SluiceError:
    message = (
        "it was sent, and no answer came; look in the room's history whether it is there before you publish it again"
    )
    return SluiceError("in_doubt", message)


def _expired() -> SluiceError:
    return SluiceError("expired", "it could not be sent before its age limit; publish it again if it is still of use")
