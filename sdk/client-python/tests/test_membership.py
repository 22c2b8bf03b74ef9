"""Whether the client is a member of a room, and how far it has read."""

from __future__ import annotations

from sluice_client import Meta
from sluice_client.core.connection import Wait
from sluice_client.core.membership import Join, Leave, Membership


def meta(offset: int | None) -> Meta:
    return Meta("m", 0.0, "r", None, offset)


def joined() -> Membership:
    member = Membership()
    member.want(True)
    assert member.connected() == Join()
    assert member.answered({"ok": True, "epoch": "e1", "offset": 3}, 0.5) is None
    assert (member.phase, member.recovered) == ("joined", None)
    return member


def test_it_is_joined_again_from_where_it_was_read_to() -> None:
    member = joined()
    assert member.takes(meta(5))
    assert not member.takes(meta(5))
    member.disconnected()
    assert member.connected() == Join(5, "e1")
    member.answered({"ok": True, "epoch": "e1", "offset": 9, "recovered": True}, 0.5)
    assert (member.recovered, member.offset) == (True, 5)


def test_after_a_loss_it_goes_on_in_what_is_there() -> None:
    member = joined()
    member.disconnected()
    member.connected()
    member.answered({"ok": True, "epoch": "e2", "offset": 1, "recovered": False}, 0.5)
    assert (member.recovered, member.epoch, member.offset) == (False, "e2", 1)
    assert member.takes(meta(2))


def test_a_refusal_that_passes_is_waited_out_and_another_ends_it() -> None:
    member = Membership()
    member.want(True)
    member.connected()
    assert member.answered({"ok": False, "error": {"code": "room_full"}}, 0.0) == Wait(0.2)
    assert member.waited() == Join()
    assert member.answered({"ok": False, "error": {"code": "forbidden"}}, 0.0) is None
    assert (member.phase, member.reason) == ("unsubscribed", "forbidden")


def test_nothing_is_left_of_where_it_was_once_nobody_wants_it() -> None:
    member = joined()
    assert member.want(False) == Leave()
    assert not member.takes(meta(9))
    assert member.want(True) == Join()
