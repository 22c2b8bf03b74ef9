"""Whom to call."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable
from typing import Any

from .clock import Cancel

_log = logging.getLogger("sluice_client")

_tasks: set[asyncio.Task[Any]] = set()


class Listeners:
    """Listeners by the name of what they listen to.

    A listener may be a coroutine function: it then runs as a task of its own, and the next message does not wait
    for it. What one raises is logged, and no other is kept from hearing.
    """

    def __init__(self) -> None:
        self._listeners: dict[str, list[Callable[..., Any]]] = {}

    def on(self, name: str, listener: Callable[..., Any]) -> Cancel:
        """Adds a listener, until the returned function is called."""
        own = self._listeners.setdefault(name, [])
        # Not the listener itself, which may be there twice.
        entry: Callable[..., Any] = lambda *args: listener(*args)  # noqa: E731
        own.append(entry)

        def off() -> None:
            if entry in own:
                own.remove(entry)
            if not own and self._listeners.get(name) is own:
                del self._listeners[name]

        return off

    def tell(self, name: str, *args: Any) -> None:
        """Calls all who listen to that."""
        for listener in list(self._listeners.get(name, ())):
            try:
                result = listener(*args)
            except Exception:
                _log.exception("a listener to %s failed", name)
                continue
            if inspect.isawaitable(result):
                _run(name, result)


def _run(name: str, awaitable: Any) -> None:
    async def wait() -> None:
        try:
            await awaitable
        except Exception:
            _log.exception("a listener to %s failed", name)

    task = asyncio.ensure_future(wait())
    # The event loop alone would let go of it.
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
