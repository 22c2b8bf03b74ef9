"""The way to a gateway: the plain protocol over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from .wire import Frame

SUBPROTOCOL = Subprotocol("sluice.v1.json")


class Listener(Protocol):
    """What a link tells; after `closed` it tells no more."""

    def opened(self, link: Link) -> None:
        """The way is open: the first request may be sent."""
        ...

    def frame(self, link: Link, frame: Frame) -> None:
        """The gateway has sent something."""
        ...

    def closed(self, link: Link, code: int, reason: str, retry_after: float) -> None:
        """It has ended, or did not come about; `retry_after` is what an HTTP answer asked for, in seconds."""
        ...


class Link:
    """One way to a gateway, open or opening. It is made within a running event loop."""

    def __init__(self, url: str, listener: Listener) -> None:
        self._listener: Listener | None = listener
        self._frames: asyncio.Queue[str | None] = asyncio.Queue()
        self._socket: ClientConnection | None = None
        self._task = asyncio.ensure_future(self._run(plain_url(url)))

    def send(self, number: int, request: dict[str, Any]) -> None:
        """Sends a request under this number."""
        if self._listener is not None and self._socket is not None:
            # The id goes first, where the gateway finds it also in a message that is too large.
            self._frames.put_nowait(json.dumps({"id": number, **request}, separators=(",", ":"), allow_nan=False))

    def close(self) -> None:
        """Ends it, and the session with it. The listener hears nothing any more."""
        self._listener = None
        if self._socket is None:
            self._task.cancel()
        else:
            # What was sent before goes out first.
            self._frames.put_nowait(None)

    def give_up(self) -> None:
        """Ends it and leaves the session to be recovered. It may be dead: nothing is waited for."""
        self._listener = None
        if self._socket is not None:
            self._socket.transport.abort()
        self._task.cancel()

    async def ended(self) -> None:
        """Waits until nothing of it is left."""
        await asyncio.wait([self._task])

    async def _run(self, url: str) -> None:
        code, reason, retry_after = 1006, "", 0.0
        try:
            # The client looks for silence by itself, by a ping of the protocol.
            self._socket = await connect(
                url, subprotocols=[SUBPROTOCOL], ping_interval=None, max_size=None, open_timeout=None, close_timeout=2
            )
            code, reason = await self._exchange(self._socket)
        except InvalidStatus as error:
            reason = f"http_{error.response.status_code}"
            retry_after = _seconds(error.response.headers.get("Retry-After"))
        except (OSError, EOFError, InvalidHandshake):
            # What went wrong is told by that it closed.
            pass
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.closed(self, code, reason, retry_after)

    async def _exchange(self, socket: ClientConnection) -> tuple[int, str]:
        if self._listener is not None:
            self._listener.opened(self)
        writing = asyncio.ensure_future(self._write(socket))
        try:
            async for text in socket:
                frame = _parse(text)
                if frame is not None and self._listener is not None:
                    self._listener.frame(self, frame)
        except ConnectionClosed:
            pass
        finally:
            writing.cancel()
        return socket.close_code or 1006, socket.close_reason or ""

    async def _write(self, socket: ClientConnection) -> None:
        try:
            while (text := await self._frames.get()) is not None:
                await socket.send(text)
            await socket.close(1000)
        except ConnectionClosed:
            # Reading tells.
            pass


def plain_url(url: str) -> str:
    """Where the plain protocol is: `https://host/` and `wss://host/` mean `wss://host/ws`."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ws", "wss") or not parts.netloc:
        raise ValueError(f"{url!r} is no gateway's URL; write it like https://rt.example.com")
    return urlunsplit((scheme, parts.netloc, "/ws" if parts.path in ("", "/") else parts.path, parts.query, ""))


def _parse(text: str | bytes) -> Frame | None:
    try:
        frame = json.loads(text)
    except ValueError:
        return None
    return frame if isinstance(frame, dict) else None


def _seconds(text: str | None) -> float:
    try:
        return max(float(text or 0), 0.0)
    except ValueError:
        return 0.0
