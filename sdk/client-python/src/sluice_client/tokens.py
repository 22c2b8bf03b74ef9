"""The token: asked for when it is needed, one call at a time, and again before it expires."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable

from .clock import Cancel, Clock
from .core.backoff import Backoff
from .core.connection import TokenReason
from .core.token import renew_after
from .errors import UnauthorizedError

_log = logging.getLogger("sluice_client")

GetToken = Callable[[TokenReason], "str | Awaitable[str]"]
"""The application's way to a token, a function or a coroutine function, which is told why one is needed: `connect`,
`expiring` or `refused`.

It raises `UnauthorizedError` where the user is not signed in any more; any other exception is taken to pass, and it is
called again after a pause. It is never called twice at a time.
"""


class Tokens:
    """What `get_token` has said."""

    def __init__(self, get_token: GetToken | None, clock: Clock) -> None:
        self._get_token = get_token
        self._clock = clock
        self._token: str | None = None
        self._renew_at: float | None = None
        self._asking: asyncio.Task[str] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._stop_timer: Cancel = _nothing

    @property
    def can_ask(self) -> bool:
        """Whether there is a way to another token."""
        return self._get_token is not None

    async def to_connect(self, reason: TokenReason) -> str | None:
        """The token to connect with: that which is there, unless it was refused or is about to expire."""
        if self._get_token is None:
            return None
        fresh = self._token is not None and (self._renew_at or 0.0) > self._clock.now()
        return self._token if reason == "connect" and fresh else await self._ask(reason)

    def keep_fresh(self, renew: Callable[[str], Awaitable[None]], unauthorized: Callable[[], None]) -> None:
        """While there is a connection: has the token renewed before it expires, by `renew`, which sends it.

        `unauthorized` is called where the application says that there is none any more.
        """
        self.rest()
        if self._get_token is None or self._renew_at is None:
            return
        backoff = Backoff(1.0, 30.0)

        async def attempt() -> None:
            try:
                await renew(await self._ask("expiring"))
            except UnauthorizedError:
                unauthorized()
            except Exception as error:
                _log.warning("the token could not be renewed, and is asked for again: %s", error)
                later(backoff.next(self._clock.random(), 1.0))
            else:
                # Where the connection has ended meanwhile, the next one sees to it.
                if self._renewing is _current_task():
                    self._renewing = None
                    self.keep_fresh(renew, unauthorized)

        def begin() -> None:
            self._renewing = asyncio.ensure_future(attempt())

        def later(seconds: float) -> None:
            self._stop_timer = self._clock.after(seconds, begin)

        later(self._renew_at - self._clock.now())

    def rest(self) -> None:
        """There is no connection: nothing is renewed."""
        self._stop_timer()
        if self._renewing is not None and self._renewing is not _current_task():
            self._renewing.cancel()
        self._renewing = None

    def forget(self) -> None:
        """The client disconnects: whoever connects next may be another user."""
        self.rest()
        self._token = None
        if self._asking is not None:
            self._asking.cancel()
        self._asking = None

    async def _ask(self, reason: TokenReason) -> str:
        if self._asking is None:
            self._asking = asyncio.ensure_future(self._fetch(reason))
        asking = self._asking
        try:
            # Others may wait for it too.
            return await asyncio.shield(asking)
        finally:
            if self._asking is asking and asking.done():
                self._asking = None

    async def _fetch(self, reason: TokenReason) -> str:
        token = self._get_token(reason) if self._get_token is not None else ""
        if inspect.isawaitable(token):
            token = await token
        if not isinstance(token, str):
            raise TypeError("get_token must return the token as text")
        self._token = token
        after = renew_after(token, self._clock.now(), self._clock.random())
        self._renew_at = None if after is None else self._clock.now() + after
        return token


def _nothing() -> None:
    pass


def _current_task() -> asyncio.Task[object] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
