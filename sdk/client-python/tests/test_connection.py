"""When the client connects, and what the end of a connection leads to."""

from __future__ import annotations

import pytest

from sluice_client.core.connection import AskToken, Close, Connection, Open, Wait


def connected(now: float = 0.0) -> Connection:
    connection = Connection()
    assert connection.start() == AskToken("connect")
    assert connection.token() == Open()
    connection.greeted(now)
    return connection


def test_a_drained_client_comes_back_at_once_and_later_when_that_repeats() -> None:
    connection = connected()
    assert connection.closed(4000, "drain", 1.0, 0.5) == Wait(0.1)
    connection.waited()
    connection.token()
    connection.greeted(2.0)
    assert connection.closed(4000, "drain", 3.0, 1.0) == Wait(1.0)


def test_pauses_double_and_begin_anew_after_a_good_connection() -> None:
    connection = connected()
    pauses = []
    for _ in range(8):
        step = connection.closed(1006, "", 0.0, 1.0)
        assert isinstance(step, Wait)
        pauses.append(step.seconds)
        connection.waited()
        connection.token()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]
    connection.greeted(0.0)
    assert connection.closed(1006, "", 10.0, 1.0) == Wait(0.5)


@pytest.mark.parametrize("code", [4500, 4501, 4502, 4504, 4999])
def test_a_client_that_is_told_to_stay_away_does(code: int) -> None:
    connection = connected()
    assert connection.closed(code, "because", 1.0, 0.5) == Close()
    assert (connection.phase, connection.reason) == ("off", "because")
    assert connection.waited() is None


def test_a_refused_token_is_replaced_once() -> None:
    connection = Connection()
    connection.start()
    connection.token()
    connection.refused("token_expired")
    assert connection.closed(4503, "unauthorized", 0.0, 0.5) == AskToken("refused")
    connection.token()
    connection.refused("token_expired")
    assert connection.closed(4503, "unauthorized", 0.0, 0.5) == Close()
    assert connection.reason == "unauthorized"


def test_clients_that_lose_a_gateway_in_the_middle_of_its_drain_spread_over_what_was_left_of_it() -> None:
    connection = connected()
    connection.drains(60.0)
    assert connection.closed(1006, "", 50.0, 0.9) == Wait(4.5)


def test_an_answer_that_says_when_to_try_again_is_kept_to() -> None:
    connection = Connection()
    connection.start()
    connection.token()
    assert connection.closed(1006, "http_503", 0.0, 0.0, 7.0) == Wait(7.0)
    assert connection.hurry(0.5) == Wait(0.1)
