"""The small parts that transports share."""

import re
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminderd.transports.pool import Pool
from reminderd.transports.privacy import is_loopback, masked, redacted
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


@given(
    prefix=st.sampled_from(["+34", "+", "%2B34", "+34 ", "+49 (0)"]),
    number=st.text("0123456789", min_size=9, max_size=12),
    gap=st.sampled_from(["", " ", "-", ".", ") ", " ("]),
    group=st.integers(1, 4),
    around=st.sampled_from(
        ["no route to {}", "{}", "/x?To={}&y", "rem-1 at /a/b: {}, {}", "to={}x"]
    ),
)
def test_no_number_survives_however_it_is_written(
    prefix: str, number: str, gap: str, group: int, around: str
) -> None:
    written = gap.join(number[at : at + group] for at in range(0, len(number), group))
    shown = masked(around.replace("{}", prefix + written))
    assert "<number>" in shown
    assert not re.search(r"\d{3}", shown)
    plain = masked(f"to {written.strip()} now")
    assert not re.search(r"\d{5}", plain)
    assert "<number>" in plain


@given(
    at=st.datetimes(datetime(1970, 1, 1), datetime(2099, 1, 1)),
    minutes=st.integers(-14 * 60, 14 * 60),
    precision=st.sampled_from(["minutes", "seconds", "milliseconds", "microseconds"]),
    number=st.integers(0, 10**12),
    sid=st.text("0123456789abcdef", min_size=32, max_size=32),
)
def test_instants_paths_and_ids_survive(
    at: datetime, minutes: int, precision: str, number: int, sid: str
) -> None:
    zone = timezone(timedelta(minutes=minutes))
    local = at.replace(tzinfo=zone).isoformat(timespec=precision)
    for each in (
        local,
        local.replace("T", " "),
        f"{at:%Y-%m-%d}",
        f"{at:%Y-%m-%dT%H:%M:%SZ}",
        f"/home/a{number}/{number}/config-{number}/reminderd.db.backup-{at:%Y%m%dT%H%M%SZ}",
        f"SM{sid}",
        f"rem-{number}, msg-{number}",
        str(UUID(sid)),
    ):
        assert masked(f"sent after {each}: see it") == f"sent after {each}: see it"


def test_a_line_of_the_log_keeps_its_end_however_long() -> None:
    text = "word " * 100 + "reminderd release"
    assert masked(text) == text


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
