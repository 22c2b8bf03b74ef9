"""Pauses between attempts."""

from __future__ import annotations


class Backoff:
    """Full jitter, of which the upper bound doubles with every attempt that fails."""

    def __init__(self, first: float = 0.5, longest: float = 20.0) -> None:
        self._first = first
        self._longest = longest
        self.attempts = 0
        """How many attempts have failed since `reset`."""

    def next(self, random: float, least: float = 0.0) -> float:
        """The next pause; `least` is never fallen short of."""
        most = min(self._first * 2.0 ** min(self.attempts, 32), self._longest)
        self.attempts += 1
        return least + random * most

    def reset(self) -> None:
        """The attempts were good for something."""
        self.attempts = 0
