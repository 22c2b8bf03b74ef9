"""Whether a connection still carries anything."""

from __future__ import annotations

from typing import Literal

UNANSWERED = 1.0
"""A request that got no answer for so long, while nothing else came, makes the connection suspect."""

PATIENCE = 3.0
"""So long may a suspect connection say nothing: with a `TICK` and the above it stays within five seconds."""

TICK = 1.0
"""How often the client looks: a pause much longer than that was the machine's sleep."""

_SLEPT = 3.0


class Probe:
    """Finds out by a `ping` operation where there is a doubt; `silence` without a word is one."""

    def __init__(self, now: float, silence: float) -> None:
        self._silence = silence
        self._heard = now
        self._looked = now
        self._asked: float | None = None
        self._suspect: float | None = None
        # Doubles with each ping that is answered where the request still is not: it only takes its time.
        self._patience = UNANSWERED

    def heard(self, now: float) -> None:
        """Something came from the gateway."""
        self._heard = now
        if self._suspect is not None and self._asked is not None:
            self._patience *= 2
        self._suspect = None
        if self._asked is not None:
            self._asked = now

    def waits(self, requests: int, now: float) -> None:
        """So many requests wait for an answer."""
        if requests > 0:
            self._asked = now if self._asked is None else self._asked
            return
        self._asked = None
        self._patience = UNANSWERED

    def doubt(self, now: float) -> bool:
        """There is a reason to doubt, such as a wake. Says whether to ping."""
        if self._suspect is not None:
            return False
        self._suspect = now
        return True

    def look(self, now: float) -> Literal["fine", "ping", "dead"]:
        """To be called every `TICK`."""
        slept = now - self._looked > TICK + _SLEPT
        self._looked = now
        if slept:
            # Nobody could answer meanwhile: what was asked before is asked again.
            self._suspect = now
            return "ping"
        if self._suspect is not None:
            return "dead" if now - self._suspect >= PATIENCE else "fine"
        unanswered = self._asked is not None and now - self._asked >= self._patience
        silent = now - self._heard >= self._silence
        return "ping" if (unanswered or silent) and self.doubt(now) else "fine"
