"""A chat in the terminal: what is typed goes to the room, and what others say is shown.

GATEWAY_URL and TOKEN say where and who; ROOM is the lobby unless it is given, and OUTBOX a file for what waits.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import Any

from sluice_client import Client, FileStore, Meta, RoomState, SluiceError

URL = os.environ.get("GATEWAY_URL", "http://localhost:3000")
TOKEN = os.environ.get("TOKEN")
ROOM = os.environ.get("ROOM", "lobby")
OUTBOX = os.environ.get("OUTBOX")


def show(data: Any, meta: Meta) -> None:
    print(f"{meta.from_ or 'somebody'}: {data['text']}")


def warn(state: RoomState) -> None:
    if state.state == "joined" and state.recovered is False:
        print("— you may have missed something —")


async def chat() -> None:
    # A real application asks its own server here.
    get_token = None if TOKEN is None else lambda _: TOKEN
    store = None if OUTBOX is None else FileStore(OUTBOX)
    async with Client(URL, get_token=get_token, store=store) as client:
        client.on("state", lambda state: print(f"— {state.state} ({state.reason}) —"))
        room = client.room(ROOM)
        room.on_state(warn)
        earlier = [message async for message in room.history(limit=10)]
        for message in reversed(earlier):
            show(message.data, message.meta)
        room.on("message", show)
        waiting: set[asyncio.Task[None]] = set()
        while line := await asyncio.to_thread(sys.stdin.readline):
            # It waits where there is no connection, and the next line need not wait for it.
            task = asyncio.ensure_future(publish(client, line.strip()))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
        await asyncio.gather(*waiting)


async def publish(client: Client, text: str) -> None:
    try:
        await client.room(ROOM).publish("message", {"text": text})
    except SluiceError as error:
        print(f"— not sent: {error} —")


asyncio.run(chat())
