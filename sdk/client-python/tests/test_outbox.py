"""What is published when."""

from __future__ import annotations

from sluice_client.core.outbox import FOUND_OUT, Item, Outbox, OutboxLimits, Scope, Way

KEPT = Way(Scope("ann", "e1"))


def item(number: int, room: str = "r", at: float = 0.0, size: int = 10) -> Item:
    return Item(str(number), room, "m", number, [], True, size, at)


def filled(*items: Item, limits: OutboxLimits | None = None) -> Outbox:
    outbox = Outbox(limits or OutboxLimits())
    for one in items:
        assert outbox.add(one) is None
    return outbox


def test_only_the_first_of_a_room_is_on_its_way() -> None:
    first, second, other = item(1), item(2), item(3, "other")
    outbox = filled(first, second, other)
    assert outbox.turn(0.0, lambda _: KEPT).send == [first, other]
    assert outbox.turn(0.0, lambda _: KEPT).send == []
    assert outbox.settle(first)
    assert outbox.turn(0.0, lambda _: KEPT).send == [second]


def test_nothing_is_sent_where_a_room_is_not_open() -> None:
    outbox = filled(item(1))
    assert outbox.turn(0.0, lambda _: None).send == []


def test_what_was_sent_to_a_history_is_sent_again_and_what_was_not_is_in_doubt() -> None:
    kept, fleeting = item(1), item(2, "fleeting")
    outbox = filled(kept, fleeting)
    outbox.turn(0.0, lambda room: KEPT if room == "r" else Way())
    assert [(failed.item, failed.error.code) for failed in outbox.disconnected()] == [(fleeting, "in_doubt")]
    assert outbox.turn(1.0, lambda _: KEPT).send == [kept]


def test_a_repetition_that_would_not_be_found_out_is_in_doubt() -> None:
    for now, way in ((1.0, Way(Scope("ann", "e2"))), (1.0, Way(Scope("bob", "e1"))), (FOUND_OUT, KEPT)):
        outbox = filled(item(1))
        outbox.turn(0.0, lambda _: KEPT)
        outbox.disconnected()
        turn = outbox.turn(now, {"r": way}.get)
        assert [failed.error.code for failed in turn.failed] == ["in_doubt"]
        assert turn.send == []


def test_what_was_never_sent_waits_for_its_age_limit() -> None:
    outbox = filled(item(1), limits=OutboxLimits(age=60.0))
    assert outbox.turn(59.0, lambda _: None).at == 60.0
    assert [failed.error.code for failed in outbox.turn(60.0, lambda _: None).failed] == ["expired"]
    assert (outbox.items, outbox.bytes) == (0, 0)


def test_as_many_wait_as_may() -> None:
    outbox = filled(item(1), limits=OutboxLimits(items=2, bytes=15))
    refused = outbox.add(item(2))
    assert refused is not None
    assert refused.code == "outbox_full"


def test_a_publication_that_came_too_fast_is_sent_again_after_a_pause_and_before_those_behind_it() -> None:
    first, second = item(1), item(2)
    outbox = filled(first, second)
    outbox.turn(0.0, lambda _: KEPT)
    assert outbox.refused(first, "rate_limited", 0.0, 1.0)
    assert first.sent is None
    assert outbox.turn(1.0, lambda _: KEPT).send == []
    assert outbox.turn(1.2, lambda _: KEPT).send == [first]
    assert not outbox.refused(first, "schema_mismatch", 2.0, 1.0)


def test_the_largest_on_its_way_fails_where_the_gateway_found_one_too_large() -> None:
    small, large = item(1), item(2, "other", size=99)
    outbox = filled(small, large)
    outbox.turn(0.0, lambda _: KEPT)
    assert [(failed.item, failed.error.code) for failed in outbox.disconnected(True)] == [(large, "message_too_large")]
