"""What goes over the wire in the plain protocol (`sluice.v1.json`): docs/protocol.md."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Answer = dict[str, Any]
"""An answer: `ok`, perhaps an `error`, and what its operation has beside."""

Frame = dict[str, Any]
"""Whatever a gateway sends."""


@dataclass(frozen=True)
class Meta:
    """What every message says of itself."""

    id: str
    time: float
    """When the gateway took it, in seconds since 1970."""
    room: str | None = None
    """The room; `None` for messages to a user or to everybody."""
    from_: str | None = None
    """The publishing user; `None` for a backend and for a session without a token."""
    offset: int | None = None
    """Its place in the room's history, if the room has one."""


@dataclass(frozen=True)
class Message:
    """A message as a listener gets it."""

    event: str
    data: Any
    """Its data; binary data is `bytes`, wherever it is."""
    meta: Meta


def read_message(frame: Mapping[str, Any]) -> Message:
    """A message as the application gets it, its bytes in place."""
    meta = frame.get("meta") or {}
    return Message(
        event=str(frame.get("event", "")),
        data=attach(frame.get("data"), frame.get("attachments") or ()),
        meta=Meta(
            id=str(meta.get("id", "")),
            time=float(meta.get("time", 0)) / 1000,
            room=meta.get("room"),
            from_=meta.get("from"),
            offset=meta.get("offset"),
        ),
    )


def failure(answer: Answer) -> tuple[str, str] | None:
    """The code and the sentence of a refusal; `None` where all went well."""
    if answer.get("ok"):
        return None
    error = answer.get("error")
    error = error if isinstance(error, dict) else {}
    return str(error.get("code", "refused")), str(error.get("message", "the gateway refused"))


def body(data: Any) -> dict[str, Any]:
    """Data as it goes over the wire: JSON has no bytes, so they travel beside it, and a placeholder stands where
    they were (docs/protocol.md, "Binary data")."""
    attachments: list[str] = []

    def detach(value: Any) -> Any:
        if isinstance(value, (bytes, bytearray, memoryview)):
            attachments.append(base64.b64encode(value).decode())
            return {"_placeholder": True, "num": len(attachments) - 1}
        return _map(value, detach)

    detached = detach(data)
    return {"data": detached, "attachments": attachments} if attachments else {"data": detached}


def attach(data: Any, attachments: Any) -> Any:
    """Puts the bytes back where the placeholders are."""
    if not attachments:
        return data

    def put(value: Any) -> Any:
        if isinstance(value, dict) and value.get("_placeholder") is True:
            num = value.get("num")
            if isinstance(num, int) and 0 <= num < len(attachments):
                return base64.b64decode(attachments[num])
        return _map(value, put)

    return put(data)


def _map(value: Any, each: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: each(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [each(one) for one in value]
    return value
