"""The stock client of Python: says on each line what happens to it, and ends when it will not come back.

client.py URL TRANSPORT TOKEN LATER: signs in with TOKEN, and with LATER whenever it comes back.
"""

import sys

import socketio

url, transport, token, later = sys.argv[1:]
tokens = iter([token])
client = socketio.Client(reconnection_delay=0.05, reconnection_delay_max=0.2)


def say(*words):
    print(*words, flush=True)


client.on("connect_error", lambda data: say("connect_error", data))
client.on("disconnect", lambda reason: say("disconnect", reason))
client.connect(url, transports=[transport], auth=lambda: {"token": next(tokens, later)})
# From here on: what it is told before `connect` returns, it does not act upon.
say("connect")
client.on("connect", lambda: say("connect"))
client.wait()
