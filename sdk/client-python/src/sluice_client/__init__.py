"""The client of Sluice, realtime messaging for Kubernetes.

```python
import asyncio
from sluice_client import Client

async def main():
    async with Client("http://localhost:3000") as client:
        room = client.room("lobby")
        room.on("message", lambda data, meta: print(meta.from_, data))
        await room.publish("message", {"text": "hello"})

asyncio.run(main())
```

The client comes back by itself, joins its rooms again where it was, and keeps what is published meanwhile.
"""

from .client import Client, ClientState, Drain, Throttled
from .clock import Cancel, Clock
from .core.connection import TokenReason
from .core.outbox import Item, OutboxLimits, Scope
from .errors import SluiceError, UnauthorizedError
from .presence import Presence
from .room import Room, RoomState
from .sender import Receipt, Settled
from .store import FileStore, OutboxStore
from .tokens import GetToken
from .wire import Message, Meta

__all__ = [
    "Cancel",
    "Client",
    "ClientState",
    "Clock",
    "Drain",
    "FileStore",
    "GetToken",
    "Item",
    "Message",
    "Meta",
    "OutboxLimits",
    "OutboxStore",
    "Presence",
    "Receipt",
    "Room",
    "RoomState",
    "Scope",
    "Settled",
    "SluiceError",
    "Throttled",
    "TokenReason",
    "UnauthorizedError",
]
