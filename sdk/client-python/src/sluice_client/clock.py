"""Time and chance, so that tests can have their own."""

from __future__ import annotations

import asyncio
import random as chance
import time
from collections.abc import Callable
from typing import Protocol

Cancel = Callable[[], None]
"""Takes something back; calling it again does nothing."""


class Clock(Protocol):
    """What the client knows of time."""

    def now(self) -> float:
        """Seconds since 1970. It goes on while the machine sleeps."""
        ...

    def random(self) -> float:
        """A number in 0..1."""
        ...

    def after(self, seconds: float, act: Callable[[], None]) -> Cancel:
        """Calls `act` after a pause, unless that is taken back."""
        ...


class SystemClock:
    """That of the machine and of the running event loop."""

    def now(self) -> float:
        return time.time()

    def random(self) -> float:
        return chance.random()

    def after(self, seconds: float, act: Callable[[], None]) -> Cancel:
        return asyncio.get_running_loop().call_later(max(seconds, 0.0), act).cancel
