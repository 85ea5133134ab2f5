"""Cautions, zones, languages, channels, instants, tags and areas, as they are typed."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from reminderd.entries import (
    read_area,
    read_channels,
    read_instant,
    read_language,
    read_screening,
    read_session_at,
    read_tags,
    read_timezone,
)
from reminderd.model import Channel, Screening
from tests.core.typed import NOW, patient


def test_what_calls_for_caution_is_read_in_any_order_and_case_and_counts_once() -> None:
    assert read_screening(" Pregnancy ; eczema;; ECZEMA") == {
        Screening.ECZEMA,
        Screening.PREGNANCY,
    }
    assert read_screening(",".join(Screening), ",") == set(Screening)
    assert patient(screening=" ").screening == frozenset()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("psoriassis", '"psoriassis" is not a screening word; did you mean "psoriasis"?'),
        ("clotting disorder", 'did you mean "clotting-disorder"?'),
        ("measles", "known are breastfeeding, clotting-disorder, eczema, pregnancy, psoriasis"),
        ("eczma;pregnancy;breastfeding", '"eczma" is not a screening word; did you mean "eczema"'),
        ("eczma;pregnancy;breastfeding", 'did you mean "breastfeeding"?'),
        (";", '";" names nothing; write one of eczema, psoriasis,'),
    ],
)
def test_every_word_of_caution_that_nobody_knows_is_answered(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        read_screening(text)


@pytest.mark.parametrize("name", ["Europe/Madrid", "America/Argentina/Salta", "UTC"])
def test_a_zone_of_the_database_is_taken(name: str) -> None:
    assert read_timezone(name) == name


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Europe/Madird", 'did you mean "Europe/Madrid"'),
        ("europe/madrid", 'did you mean "Europe/Madrid"'),
        ("CEST", 'write for example "Europe/Madrid"'),
        ("+01:00", 'write for example "Europe/Madrid"'),
        ("Europe", 'write for example|did you mean "Europe/'),
        ("../zones", 'write for example "Europe/Madrid"'),
        ("Europe/__init__/x", "is not a time zone"),
    ],
)
def test_a_zone_that_does_not_exist_is_answered_with_one_that_does(text: str, hint: str) -> None:
    with pytest.raises(ValueError, match=hint):
        read_timezone(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [("es", "es"), ("EN", "en"), ("pt_BR", "pt_BR"), ("pt-br", "pt_BR"), ("zh-hant", "zh_Hant")],
)
def test_a_language_is_kept_in_one_spelling(text: str, language: str) -> None:
    assert read_language(text) == language


@pytest.mark.parametrize(
    "text", ["xx", "english", "en_", "e", "en.UTF-8", "de_DE@euro", "../es", "en_XX"]
)
def test_a_language_that_nobody_knows_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a language; write for example"):
        read_language(text)


@pytest.mark.parametrize(
    ("text", "separator", "channels"),
    [
        ("sms", ";", [Channel.SMS]),
        ("email; sms", ";", [Channel.EMAIL, Channel.SMS]),
        ("SMS;Email;", ";", [Channel.SMS, Channel.EMAIL]),
        ("email,sms", ",", [Channel.EMAIL, Channel.SMS]),
    ],
)
def test_channels_keep_their_order(text: str, separator: str, channels: list[Channel]) -> None:
    assert list(read_channels(text, separator)) == channels


@pytest.mark.parametrize(
    ("text", "separator", "why"),
    [
        ("sms|email", ";", 'write "sms;email"'),
        ("email,sms", ";", 'write "email;sms"'),
        ("sms email", ";", 'write "sms;email"'),
        ("sms;email", ",", 'write "sms,email"'),
        ("sms;sms", ";", "names a channel twice"),
        ("sms;pigeon", ";", '"pigeon" is not a channel; known are email, sms'),
        ("e-mail", ";", 'did you mean "email"'),
        (";", ";", "names no channel"),
        ("|", ";", '"|" is not a channel'),
    ],
)
def test_a_channel_that_does_not_exist_is_refused(text: str, separator: str, why: str) -> None:
    with pytest.raises(ValueError, match=f".*{why.replace('|', '[|]')}"):
        read_channels(text, separator)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-28T14:30", "2026-03-28T13:30Z"),
        ("2026-03-28 14:30:15", "2026-03-28T13:30:15Z"),
        ("2026-03-28T14:30:15.5Z", "2026-03-28T14:30:15.5Z"),
        ("2026-03-28t14:30z", "2026-03-28T14:30Z"),
        ("2026-03-28 14:30+05:30", "2026-03-28T09:00Z"),
        ("2026-03-29T02:30", "2026-03-29T01:30Z"),  # skipped: half past three, an hour on
        ("2026-10-25T02:30", "2026-10-25T00:30Z"),  # twice: the first
    ],
)
def test_an_instant_is_read_in_the_zone_unless_it_says_its_own(text: str, instant: str) -> None:
    assert read_instant(text, "Europe/Madrid") == datetime.fromisoformat(instant)
    assert read_instant(text, "Europe/Madrid").utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-03-28", "has no time"),
        ("28/03/2026 14:30", "is not year-month-day and a time"),
        ("2026-3-28 14:30", "is not year-month-day and a time"),
        ("20260328T1430", "is not year-month-day and a time"),
        ("2026-W13-6T14:30", "is not year-month-day and a time"),
        ("2026-03-28T14", "is not year-month-day and a time"),
        ("2026-03-28T14:30+1", "is not year-month-day and a time"),
        ("tomorrow", "is not year-month-day and a time"),
        ("2026-02-30T10:00", "does not exist"),
        ("2026-03-28T25:00", "does not exist"),
        ("2026-03-28T14:30+25:00", "does not exist"),
        ("0001-01-01T00:00+14:00", "does not exist"),
        ("0001-01-01T00:00", "does not exist"),
    ],
)
def test_what_is_not_an_instant_is_answered_with_how_to_write_one(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=f'{why}; write for example "2026-03-28T14:30"'):
        read_instant(text, "Asia/Kolkata")


def test_a_session_lies_at_most_a_year_past_and_two_years_ahead() -> None:
    def read(text: str) -> datetime:
        return read_session_at(text, "UTC", NOW)

    assert read("2025-03-20T08:00") == NOW.replace(year=2025)
    assert read("2028-03-20T08:00") == NOW.replace(year=2028)
    with pytest.raises(ValueError, match="more than a year past; check the year"):
        read("2025-03-20T07:59")
    with pytest.raises(ValueError, match="more than two years ahead; check the year"):
        read("2028-03-20T08:01")


def test_a_leap_day_has_a_year_before_and_two_years_after_it() -> None:
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert read_session_at("2027-02-28T12:00", "UTC", leap) == datetime(2027, 2, 28, 12, tzinfo=UTC)
    with pytest.raises(ValueError, match="two years ahead"):
        read_session_at("2030-02-28T12:01", "UTC", leap)


def test_tags_are_words_in_small_letters() -> None:
    assert read_tags("weight-loss; vip2;") == {"weight-loss", "vip2"}
    with pytest.raises(ValueError, match=r'"Weight loss!" is not a tag.* write "weight-loss"'):
        read_tags("vip;Weight loss!")


def test_an_area_is_a_short_text() -> None:
    assert read_area("inner thighs") == "inner thighs"
    with pytest.raises(ValueError, match="has 101 characters; write at most 100"):
        read_area("x" * 101)
