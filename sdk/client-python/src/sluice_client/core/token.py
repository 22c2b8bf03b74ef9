"""When a token's time is over, as far as the token says. The client does not check it; the gateway does."""

from __future__ import annotations

import base64
import json
from typing import Any

_LAST = 0.2
"""The last part of a token's life in which it is renewed, of a minute at most."""
_LAST_MOST = 60.0
_LEAST = 1.0
"""No token is renewed more often than this, however short its life."""


def renew_after(token: str, now: float, random: float) -> float | None:
    """After how many seconds the token should be renewed; `None` where it does not say."""
    claims = _claims(token)
    expires, issued = _number(claims.get("exp")), _number(claims.get("iat"))
    if expires is None:
        return None
    # A token from the future says that this clock is behind.
    begins = now if issued is None else max(issued, now)
    life = expires - begins
    # The users of a fleet may all have got theirs at once.
    last = min(life * _LAST, _LAST_MOST) * (1 + random / 2)
    return max(life - last, _LEAST)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _claims(token: str) -> dict[str, Any]:
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}
