"""Requests that wait for their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from .clock import Cancel
from .errors import SluiceError
from .transport import Link
from .wire import Answer, failure

Request = dict[str, Any]
"""A request as it is sent, without its id."""

Answered = Callable[[Answer], None]
"""What is called with an answer, before anything that came behind it is looked at."""

DISCONNECTED: Answer = {
    "ok": False,
    "error": {
        "code": "disconnected",
        "message": "there is no connection, or it was lost; ask again once it is back",
    },
}
"""The answer to what there is no connection for, or none any more."""


class Requests:
    """Those of one connection."""

    def __init__(self) -> None:
        self._waiting: dict[int, Answered] = {}
        self._last = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def send(self, link: Link, request: Request, answered: Answered) -> Cancel:
        """Sends a request; returns what gives its answer up."""
        self._last += 1
        number = self._last
        self._waiting[number] = answered
        link.send(number, request)
        return lambda: self._waiting.pop(number, None) and None

    def answered(self, answer: Answer) -> None:
        """An answer has come."""
        number = answer.get("id")
        answered = self._waiting.pop(number, None) if isinstance(number, int) else None
        if answered is not None:
            answered(answer)

    def disconnected(self) -> None:
        """The connection has ended."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        for answered in waiting:
            answered(DISCONNECTED)


async def ask(call: Callable[[Answered], Cancel]) -> Answer:
    """Asks by `call`; raises the refusal, if it is one."""
    told: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    give_up = call(lambda answer: None if told.done() else told.set_result(answer))
    try:
        answer = await told
    finally:
        give_up()
    refused = failure(answer)
    if refused is not None:
        raise SluiceError(*refused)
    return answer


async def until(done: Callable[[], bool], subscribe: Callable[[Callable[[Any], None]], Cancel]) -> None:
    """Returns once `done` says so, and raises what it raises. `subscribe` has it look again when that may change."""
    told: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def look(_: Any = None) -> None:
        if told.done():
            return
        try:
            if done():
                told.set_result(None)
        except SluiceError as error:
            told.set_exception(error)

    off = subscribe(look)
    try:
        look()
        await told
    finally:
        off()
