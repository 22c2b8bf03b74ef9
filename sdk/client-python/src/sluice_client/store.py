"""Keeping the outbox over a restart."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

from .core.outbox import Item, Scope


class OutboxStore(Protocol):
    """Where publications are kept until it is known what became of them."""

    async def open(self) -> list[Item]:
        """What is kept, in the order in which it was published."""
        ...

    async def put(self, item: Item) -> None:
        """Keeps an item, or what has changed of it."""
        ...

    async def remove(self, item_id: str) -> None:
        """Lets an item go; one that is not there is no error."""
        ...


class FileStore:
    """Keeps the outbox in a file, which is replaced in one step. One client at a time may use it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._items: dict[str, Item] = {}
        self._writing = asyncio.Lock()

    async def open(self) -> list[Item]:
        """What the file holds; nothing where there is none."""
        self._items = await asyncio.to_thread(self._read)
        return list(self._items.values())

    async def put(self, item: Item) -> None:
        """Is done when the file has it."""
        self._items[item.id] = item
        await self._write()

    async def remove(self, item_id: str) -> None:
        """Is done when the file has it no more."""
        if self._items.pop(item_id, None) is not None:
            await self._write()

    def _read(self) -> dict[str, Item]:
        try:
            kept = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        items = [Item(**{**one, "scope": Scope(**one["scope"]) if one["scope"] else None}) for one in kept]
        return {item.id: item for item in items}

    async def _write(self) -> None:
        async with self._writing:
            text = json.dumps([asdict(item) for item in self._items.values()])
            await asyncio.to_thread(self._replace, text)

    def _replace(self, text: str) -> None:
        new = self._path.with_name(self._path.name + ".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._path)
