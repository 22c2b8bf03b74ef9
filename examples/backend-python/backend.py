"""A backend that answers what clients order, and tells the room "orders" of it.

Run as many as you like: each event goes to one of them.
"""

import asyncio
import json
import os
import signal

import nats

# sluice.<namespace in Kubernetes, or default>.<name of the RealtimeCluster>
PREFIX = os.environ.get("SLUICE_PREFIX", "sluice.default.chat")
SERVERS = os.environ.get("NATS_URL", "nats://localhost:4222").split(",")


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def token(name):
    """A name as one token of a subject: what is not a letter, a digit, - or _ becomes =XX."""
    plain = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return "".join(chr(byte) if byte in plain else f"={byte:02X}" for byte in name.encode())


async def main():
    client = await nats.connect(
        SERVERS,
        max_reconnect_attempts=-1,
        # Where a backend may have answers sent, and nobody else hears them.
        inbox_prefix=f"_INBOX.{PREFIX}.backend",
    )

    async def call(operation, request):
        """Calls an operation of the server API, as docs/openapi.json lists them."""
        answer = await client.request(f"{PREFIX}.api.{operation}", json.dumps(request).encode(), timeout=5)
        result = json.loads(answer.data)
        if "error" in result:
            raise RuntimeError(f"{operation}: {result['error']}")
        return result

    async def on(event, handle):
        """Answers an event of the namespace / with what handle returns, or with its refusal."""

        async def answer(message):
            try:
                reply = {"ok": True, "data": await handle(json.loads(message.data))}
            except Refused as refused:
                reply = {"ok": False, "error": {"code": refused.code, "message": str(refused)}}
            # A client that waits for no answer sends no reply subject.
            if message.reply:
                await message.respond(json.dumps(reply).encode())

        await client.subscribe(f"{PREFIX}.up.{token('/')}.{token(event)}", queue="backend", cb=answer)

    async def order(request):
        data = request["data"] or {}
        if not data.get("items", 0) > 0:
            raise Refused("nothing_ordered", "Order at least one item.")
        total = data["items"] * 3
        ordered = {"user": request["user"], "total": total}
        # Its id makes it the same message if this is tried again.
        message_id = f"{request['session']}-{data.get('number')}"
        await call("publish", {"room": "orders", "event": "ordered", "data": ordered, "id": message_id})
        return {"total": total}

    await on("order", order)
    await client.flush()
    print(f"Answering orders on {PREFIX}.up", flush=True)

    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    await stop.wait()
    await client.drain()


if __name__ == "__main__":
    asyncio.run(main())
