"""Sends what the outbox decides, and tells everybody what became of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from .clock import Cancel, Clock
from .core.outbox import Item, Outbox, OutboxLimits, Way
from .errors import SluiceError
from .requests import Request
from .store import OutboxStore
from .wire import Answer

_log = logging.getLogger("sluice_client")


@dataclass(frozen=True)
class Receipt:
    """What the gateway has said of a publication that it took."""

    id: str
    offset: int | None = None
    """Its place in the room's history, if the room has one."""


@dataclass(frozen=True)
class Settled:
    """What became of a publication: it has a receipt, or an error."""

    item: Item
    receipt: Receipt | None = None
    error: SluiceError | None = None


class Post(Protocol):
    """What the sender needs of the client."""

    def gate(self, room: str) -> Way | None: ...

    async def ask(self, request: Request) -> Answer: ...

    def settled(self, settled: Settled) -> None: ...

    def outbox_changed(self) -> None: ...


class Sender:
    """Of one client."""

    def __init__(self, limits: OutboxLimits, store: OutboxStore | None, clock: Clock, post: Post) -> None:
        self.outbox = Outbox(limits)
        self._store = store
        self._clock = clock
        self._post = post
        self._promised: dict[str, asyncio.Future[Receipt]] = {}
        self._opened: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop_timer: Cancel = _nothing

    def open(self) -> None:
        """Sends what is kept from before, too. To be called within the event loop."""
        if self._store is not None and self._opened is None:
            self._opened = asyncio.ensure_future(self._find(self._store))

    async def _find(self, store: OutboxStore) -> None:
        for item in await store.open():
            self.outbox.restore(item)
        self.turn()

    async def publish(self, item: Item) -> Receipt:
        """Returns when the gateway has taken it. Cancelled, it is taken out of the outbox; if it was sent
        already, it may have been taken."""
        await self._found()
        refusal = self.outbox.add(item)
        if refusal is not None:
            raise refusal
        told: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._promised[item.id] = told
        try:
            await self._keep(item)
            self.turn()
            return await told
        finally:
            del self._promised[item.id]
            if self.outbox.settle(item):
                self._spawn(self._forget(item))
                self.turn()

    async def _found(self) -> None:
        self.open()
        if self._opened is not None:
            try:
                await asyncio.shield(self._opened)
            except Exception as error:
                raise SluiceError("store_failed", f"the outbox's store failed: {error}") from error

    def turn(self) -> None:
        """Sends what can be sent. To be called whenever that may have changed."""
        now = self._clock.now()
        turn = self.outbox.turn(now, self._post.gate)
        for failed in turn.failed:
            self._settle(Settled(failed.item, error=failed.error))
        for item in turn.send:
            self._spawn(self._send(item))
        self._stop_timer()
        if turn.at is not None:
            self._stop_timer = self._clock.after(turn.at - now, self.turn)
        self._post.outbox_changed()

    def disconnected(self, too_large: bool) -> None:
        """The connection has ended, perhaps because a message was too large."""
        for failed in self.outbox.disconnected(too_large):
            self._settle(Settled(failed.item, error=failed.error))
        self.turn()

    async def _send(self, item: Item) -> None:
        try:
            # That it was sent must be known after a restart, whatever becomes of it.
            await self._keep(item)
            more = {"attachments": item.attachments} if item.attachments else {}
            request = {"op": "publish", "room": item.room, "messageId": item.id, "event": item.event}
            answer = await self._post.ask({**request, "echo": item.echo, **more, "data": item.data})
        except SluiceError as error:
            self._refused(item, error)
        else:
            if self.outbox.settle(item):
                self._settle(Settled(item, receipt=Receipt(item.id, answer.get("offset"))))
        self.turn()

    def _refused(self, item: Item, error: SluiceError) -> None:
        # The outbox itself was told of the lost connection.
        if error.code == "disconnected":
            return
        if self.outbox.refused(item, error.code, self._clock.now(), self._clock.random()):
            return
        if self.outbox.settle(item):
            self._settle(Settled(item, error=error))

    def _settle(self, settled: Settled) -> None:
        self._spawn(self._forget(settled.item))
        told = self._promised.get(settled.item.id)
        if told is not None and not told.done():
            if settled.receipt is not None:
                told.set_result(settled.receipt)
            elif settled.error is not None:
                told.set_exception(settled.error)
        self._post.settled(settled)

    async def _keep(self, item: Item) -> None:
        if self._store is None:
            return
        try:
            await self._store.put(item)
        except Exception as error:
            raise SluiceError("store_failed", f"the outbox's store failed: {error}") from error

    async def _forget(self, item: Item) -> None:
        if self._store is None:
            return
        try:
            await self._store.remove(item.id)
        except Exception as error:
            _log.warning("the outbox's store could not let a publication go: %s", error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        # The event loop alone would let go of it.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _nothing() -> None:
    pass
