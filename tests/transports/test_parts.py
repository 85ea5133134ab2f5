"""The small parts that transports share."""

import pytest

from reminderd.transports.pool import Pool
from reminderd.transports.privacy import is_loopback, redacted
from reminderd.transports.timeout import seconds


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The 'To' number +34 600 12 34 56 is bad", "The 'To' number <number> is bad"),
        ("To=%2B34600123456&x", "To=<number>&x"),
        ("(600) 123-456 7", "(<number>"),
        ("error 21211, see 5.1.1", "error 21211, see 5.1.1"),
        ("<ana.prueba@example.com>: unknown", "<<mailbox>>: unknown"),
        ("dear\r\n\x1b[0m ANA  prueba!", "dear [0m <hidden>!"),
        ("banana", "banana"),
    ],
)
def test_no_number_mailbox_or_name_is_shown(text: str, shown: str) -> None:
    assert redacted(text, ["ana", "ana prueba", ""]) == shown


def test_a_long_text_is_cut() -> None:
    assert len(redacted("word " * 100)) == 200


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.3.2.1", "::1", "[::1]"]
)
def test_this_machine_is_recognised(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["example.org", "10.0.0.1", "127.0.0.1.example.org", "", "localhost.x"]
)
def test_others_are_not_this_machine(host: str) -> None:
    assert not is_loopback(host)


def test_a_time_to_wait_is_in_seconds_or_minutes() -> None:
    assert (seconds("15s"), seconds("2m")) == (15, 120)
    for wrong in ("15", "0s", "-1s", "1h", " 5s", "5s\n", 5, None):
        with pytest.raises(ValueError, match="is not a time to wait"):
            seconds(wrong)


def test_a_pool_hands_out_the_freshest_and_closes_what_is_stale() -> None:
    closed: list[str] = []
    pool = Pool[str](closed.append)
    pool.give("old")
    pool.give("new")
    assert pool.take() == "new"
    pool._keep = 0
    assert pool.take() is None
    assert closed == ["old"]
    pool.give("last")
    pool.close()
    assert closed == ["old", "last"]
