"""Who is in a room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .clock import Cancel
from .listeners import Listeners
from .wire import Answer


class Presence:
    """Who is in a room, kept up to date: a snapshot, then those who come and go.

    Beyond 1000 users `users` has a part of them, and `count` counts all.
    """

    def __init__(self, close: Cancel) -> None:
        self._close = close
        self._users: set[str] = set()
        self._listeners = Listeners()
        self._early: list[dict[str, Any]] | None = None
        self.count = 0

    @property
    def users(self) -> list[str]:
        """Their names, sorted."""
        return sorted(self._users)

    def on_change(self, listener: Callable[[Presence], Any]) -> Cancel:
        """Calls the listener after each change, until the returned function is called."""
        return self._listeners.on("change", listener)

    def close(self) -> None:
        """Ends it: nothing changes any more, and the room is left if nothing else holds it."""
        self._close()

    def _asked(self) -> None:
        """Changes that come while a snapshot is asked for wait for it."""
        self._early = [] if self._early is None else self._early

    def _snapshot(self, answer: Answer) -> None:
        self._users = set(map(str, answer.get("users") or ()))
        self.count = int(answer.get("count", len(self._users)))
        early, self._early = self._early or [], None
        for change in early:
            self._apply(change)
        self._listeners.tell("change", self)

    def _changed(self, change: dict[str, Any]) -> None:
        if self._early is not None:
            self._early.append(change)
            return
        self._apply(change)
        self._listeners.tell("change", self)

    def _apply(self, change: dict[str, Any]) -> None:
        for user in change.get("left") or ():
            if user in self._users:
                self._users.remove(user)
                self.count -= 1
        for user in change.get("joined") or ():
            if user not in self._users:
                self._users.add(user)
                self.count += 1
