"""The kit's driver for this library: a command a line comes in, and what the client tells goes out, a line each."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable
from dataclasses import asdict
from typing import Any

from sluice_client import Client, Presence, Room, RoomState, SluiceError, TokenReason, UnauthorizedError


def tell(what: dict[str, Any]) -> None:
    print(json.dumps(what), flush=True)


def start(url: str, tokens: list[str]) -> Client:
    """A client that asks for these tokens by turns, and then says that nobody is signed in."""
    left = list(tokens)

    def get_token(reason: TokenReason) -> str:
        tell({"token": reason})
        if not left:
            raise UnauthorizedError()
        return left.pop(0)

    client = Client(url, get_token=get_token)
    client.on("state", lambda state: tell(asdict(state)))
    return client


class Driver:
    def __init__(self) -> None:
        self.clients: list[Client] = []
        self.options: dict[str, Any] = {}
        self.offs: dict[str, Any] = {}
        self.watched: set[str] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    def room(self, name: str) -> Room:
        """The room, of which each state is told."""
        room = self.clients[0].room(name)
        if name not in self.watched:
            self.watched.add(name)
            room.on_state(lambda state: tell({"room": name, **told(state)}))
        return room

    def settle(self, name: str, work: Awaitable[Any]) -> None:
        """Tells what became of something that takes its time."""

        async def run() -> None:
            try:
                value = await work
            except SluiceError as error:
                tell({"failed": name, "code": error.code})
            else:
                tell({"done": name, **(value or {})})

        task = asyncio.ensure_future(run())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def do(self, command: dict[str, Any]) -> None:
        match command:
            case {"do": "new", "url": url}:
                self.options = {"url": url, "tokens": command.get("tokens", ["t1"] * 4)}
                self.clients.append(start(**self.options))
            case {"do": "another"}:
                another = start(**self.options)
                self.clients.append(another)
                self.settle("another", another.connect())
            case {"do": "connect"}:
                self.settle(command.get("as", "connect"), self.clients[0].connect())
            case {"do": "disconnect"}:
                self.clients[0].disconnect()
            case {"do": "wake"}:
                self.clients[0].wake()
            case {"do": "join", "room": name}:
                self.settle(command.get("as", ""), self.room(name).join())
            case {"do": "listen", "room": name, "event": event}:
                off = self.room(name).on(
                    event, lambda data, _: tell({"message": {"room": name, "event": event, "data": data}})
                )
                self.offs[command.get("as", "")] = off
            case {"do": "unlisten"}:
                self.offs[command["as"]]()
            case {"do": "publish", "room": name, "event": event}:
                self.settle(command.get("as", ""), self.publish(name, event, command))
            case {"do": "history", "room": name}:
                self.settle(command["as"], self.history(name, command["limit"]))
            case {"do": "presence", "room": name}:
                self.room(name).presence().on_change(lambda presence: present(command["as"], presence))
            case _:
                raise ValueError(f"{command} is no command")

    async def publish(self, name: str, event: str, command: dict[str, Any]) -> dict[str, Any]:
        receipt = await self.room(name).publish(event, command.get("data"), id=command.get("id"))
        return {name: value for name, value in asdict(receipt).items() if value is not None}

    async def history(self, name: str, limit: int) -> dict[str, Any]:
        return {"data": [message.data async for message in self.room(name).history(limit=limit)]}


def told(state: RoomState) -> dict[str, Any]:
    return {name: value for name, value in asdict(state).items() if value is not None}


def present(name: str, presence: Presence) -> None:
    tell({"present": name, "users": presence.users})


async def main() -> None:
    driver = Driver()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        driver.do(json.loads(line))


asyncio.run(main())
