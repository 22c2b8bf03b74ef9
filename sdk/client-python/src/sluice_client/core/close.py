"""What the end of a connection means: docs/close-codes.md."""

from __future__ import annotations

from typing import Literal

Return = Literal["now", "jitter", "pause", "token", "never"]
"""How a client comes back: at once, since the gateway has spread such closes over time already (`now`); after a
random pause that grows (`jitter`), of a second at least (`pause`); with a new token (`token`); not at all, as it
would end in the same way (`never`)."""

_RETURNS: dict[int, Return] = {
    4000: "now",
    4001: "now",
    4002: "now",
    4003: "token",
    4004: "pause",
    4006: "now",
}

_NAMES = {1009: "message_too_large", 4500: "replaced", 4501: "revoked", 4503: "unauthorized"}


def return_after(code: int) -> Return:
    """What a client does after a close."""
    return "never" if 4500 <= code < 5000 else _RETURNS.get(code, "jitter")


def close_name(code: int, reason: str) -> str:
    """The close's name, also where its frame had none."""
    return reason or _NAMES.get(code, "lost")
