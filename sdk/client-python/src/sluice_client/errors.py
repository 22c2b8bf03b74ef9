"""What requests fail with."""

from __future__ import annotations


class SluiceError(Exception):
    """A refusal, or what became of a request.

    `code` is for programs: one of the gateway's (docs/errors.md), or one of the library's own:

    - `disconnected`: the connection was lost before there was an answer; the request may have been carried out.
    - `in_doubt`: a publication was sent, and nobody can say any more whether it was taken; sending it again
      might repeat it.
    - `expired`: a publication could not be sent before its age limit.
    - `outbox_full`: as many publications wait as may.
    - `store_failed`: the store of the outbox has failed.
    - `left`: the room was left, or the client disconnected, before it came to that.
    - `unauthorized`: there is no token, or the gateway accepts none that there is.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnauthorizedError(SluiceError):
    """To be raised by `get_token` where the user is not signed in any more: the client stays disconnected."""

    def __init__(self, message: str = "the user is not signed in; sign in, then call connect()") -> None:
        super().__init__("unauthorized", message)


_PASSING = frozenset(
    {
        "rate_limited",
        "too_many_in_flight",
        "room_rate_limited",
        "room_full",
        "overloaded",
        "backbone_unavailable",
        "disconnected",
    }
)


def passes(code: str) -> bool:
    """Whether the same request may be accepted after a pause."""
    return code in _PASSING
