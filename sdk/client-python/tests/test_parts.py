"""Tokens, doubts, data, URLs and the file of the outbox."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest

from sluice_client import Client, FileStore, Item, Scope
from sluice_client.core.probe import Probe
from sluice_client.core.token import renew_after
from sluice_client.listeners import Listeners
from sluice_client.transport import plain_url
from sluice_client.wire import attach, body


def token(**claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{part}.signature"


def test_a_token_is_renewed_in_the_last_part_of_its_life() -> None:
    assert renew_after(token(exp=1_100, iat=1_000), 1_000.0, 0.0) == 80.0
    assert renew_after(token(exp=11_000, iat=1_000), 1_000.0, 0.0) == 9_940.0
    assert renew_after(token(exp=1_001), 1_000.0, 1.0) == 1.0
    for none in (token(), token(exp=True), token(exp="soon"), "nonsense", "a.b.c", ""):
        assert renew_after(none, 1_000.0, 0.0) is None


def test_a_connection_that_answers_nothing_is_dead_within_five_seconds() -> None:
    probe = Probe(0.0, 30.0)
    probe.waits(1, 0.5)
    found = [probe.look(float(now)) for now in range(1, 6)]
    assert found == ["fine", "ping", "fine", "fine", "dead"]


def test_a_request_that_takes_its_time_is_no_reason_to_leave() -> None:
    probe = Probe(0.0, 30.0)
    probe.waits(1, 0.0)
    pings = 0
    for now in range(1, 20):
        found = probe.look(float(now))
        assert found != "dead"
        if found == "ping":
            pings += 1
            probe.heard(now + 0.1)
    assert pings <= 5


def test_a_machine_that_slept_asks_at_once() -> None:
    probe = Probe(0.0, 30.0)
    assert probe.look(1.0) == "fine"
    assert probe.look(60.0) == "ping"


def test_bytes_travel_beside_the_data() -> None:
    data = {"name": "ann", "faces": [b"\x00\x01", {"deep": bytearray(b"xyz")}]}
    sent = body(data)
    json.dumps(sent)
    assert sent["attachments"] == ["AAE=", "eHl6"]
    assert attach(sent["data"], sent["attachments"]) == {"name": "ann", "faces": [b"\x00\x01", {"deep": b"xyz"}]}
    assert attach({"_placeholder": True, "num": 7}, ["AAE="]) == {"_placeholder": True, "num": 7}


def test_a_url_is_where_the_plain_protocol_is() -> None:
    assert plain_url("https://rt.example.com") == "wss://rt.example.com/ws"
    assert plain_url("ws://localhost:3000/?a=b") == "ws://localhost:3000/ws?a=b"
    assert plain_url("https://example.com/realtime") == "wss://example.com/realtime"
    for wrong in ("localhost:3000", "ftp://example.com", "https://"):
        with pytest.raises(ValueError, match="gateway's URL"):
            Client(wrong)


def test_the_outbox_is_there_after_a_restart(tmp_path: Path) -> None:
    async def run() -> None:
        path = tmp_path / "outbox.json"
        store = FileStore(path)
        assert await store.open() == []
        one = Item("1", "r", "m", {"a": 1}, [], True, 10, 5.0, 6.0, Scope("ann", "e1"))
        await asyncio.gather(store.put(one), store.put(Item("2", "r", "m", None, ["AAE="], False, 10, 5.0)))
        await store.remove("nobody")
        kept = await FileStore(path).open()
        assert [(item.id, item.scope) for item in kept] == [("1", Scope("ann", "e1")), ("2", None)]
        await store.remove("1")
        assert [item.id for item in await FileStore(path).open()] == ["2"]

    asyncio.run(run())


def test_a_listener_that_fails_keeps_no_other_from_hearing(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> list[int]:
        heard: list[int] = []

        async def later(value: int) -> None:
            heard.append(value)
            raise RuntimeError("later")

        def fail(_: int) -> None:
            raise RuntimeError("now")

        listeners = Listeners()
        listeners.on("x", fail)
        listeners.on("x", later)
        off = listeners.on("x", heard.append)
        off()
        off()
        listeners.tell("x", 7)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return heard

    assert asyncio.run(run()) == [7]
    assert caplog.text.count("a listener to x failed") == 2
