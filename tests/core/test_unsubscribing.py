"""The link behind the button of a mail: only ours counts, and nothing personal is in it."""

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminderd.model import Channel, How, Wish
from reminderd.unsubscribing import Tokens
from reminderd.wishes import Wishes
from tests.configuration import configuration
from tests.core.build import at, state
from tests.core.desk import NOTE, Desk

TOKENS = Tokens(b"k" * 32)
EMAIL, ADDRESS = Channel.EMAIL, "vera@example.org"
TOKEN = TOKENS.token(17, EMAIL, ADDRESS)
NOW = at("2026-03-10 10:00")
MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"
PUBLIC = """
[web]
listen = "127.0.0.1:8025"
public_url = "https://care.example.org/aftercare"
"""


# The token ---------------------------------------------------------------------------------------


def test_a_token_names_the_patient_the_channel_and_the_address_as_it_is_written() -> None:
    wanted = TOKENS.read(TOKEN)
    assert wanted is not None
    assert (wanted.patient_id, wanted.channel) == (17, EMAIL)
    assert TOKENS.is_of(wanted, "Vera@Example.org")
    assert not TOKENS.is_of(wanted, "vera@example.com")


def test_it_is_the_same_in_every_mail_and_another_for_everybody_else() -> None:
    assert TOKENS.token(17, EMAIL, ADDRESS) == TOKEN
    others = {TOKENS.token(18, EMAIL, ADDRESS), TOKENS.token(17, EMAIL, "ana@example.org")}
    assert len({TOKEN, *others, Tokens(b"l" * 32).token(17, EMAIL, ADDRESS)}) == 4


def test_nothing_personal_is_in_it_and_it_needs_no_escape() -> None:
    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert b"vera" not in urlsafe_b64decode(TOKEN + "=")


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("ABYZabyz0189-_"))
def test_a_token_with_another_letter_in_it_is_none(place: int, letter: str) -> None:
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    assert (TOKENS.read(changed) is None) == (changed != TOKEN)


@given(st.text(max_size=80))
def test_anything_else_is_none(text: str) -> None:
    assert TOKENS.read(text) is None


@pytest.mark.parametrize("text", [TOKEN + "=", TOKEN + "A", TOKEN[:-1], f" {TOKEN}", TOKEN * 2])
def test_nor_is_one_with_more_or_less_in_it(text: str) -> None:
    assert TOKENS.read(text) is None


# The mail, and what the button does -------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, NOW, config=configuration(PUBLIC))
    desk.protocol(NOTE)
    yield desk
    desk.close()


def mailed(desk: Desk) -> str:
    """The token in the mail that Vera has got."""
    desk.treat(desk.patient(channels="email sms"), MORNING)
    desk.drain(DUE)
    address = desk.email.sent[0].unsubscribe
    assert address is not None
    begin, _, token = address.rpartition("/")
    assert begin == "https://care.example.org/aftercare/unsubscribe"
    return token


def wishes(desk: Desk) -> Wishes:
    return desk.house.wishes


def test_the_button_withdraws_consent_for_mail_and_the_phone_carries_what_it_may(
    desk: Desk,
) -> None:
    token = mailed(desk)
    desk.book(desk.intake.patient("pat-1"), "2026-03-10 11:30")
    patient = wishes(desk).unsubscribe(token, desk.now)
    assert patient is not None
    told = desk.outbox.statements(1)[-1]
    assert (told.channel, told.wish, told.address, told.how, told.by) == (
        EMAIL, Wish.WITHDRAWN, ADDRESS, How.UNSUBSCRIBE, "patient",
    )  # fmt: skip
    assert {each.channel for each in desk.reminders() if state(each) != "sent"} == {"sms"}


def test_what_only_mail_could_carry_is_opted_out(desk: Desk) -> None:
    desk.treat(desk.patient(channels="email"), MORNING)
    token = Tokens(desk.outbox.make_secret()).token(1, EMAIL, ADDRESS)
    wishes(desk).unsubscribe(token, desk.now)
    assert state(desk.the()) == "cancelled/opted-out"


def test_a_second_press_changes_nothing(desk: Desk) -> None:
    token = mailed(desk)
    wishes(desk).unsubscribe(token, desk.now)
    before = len(desk.outbox.statements(1)), len(desk.outbox.trail())
    assert wishes(desk).unsubscribe(token, desk.now + timedelta(days=900)) is not None
    assert (len(desk.outbox.statements(1)), len(desk.outbox.trail())) == before


def test_an_old_mail_does_not_close_the_address_that_came_after_it(desk: Desk) -> None:
    token = mailed(desk)
    desk.intake.edit_patient("pat-1", lambda each: replace(each, email="v@example.com"), desk.now)
    assert wishes(desk).unsubscribe(token, desk.now) is not None
    assert desk.intake.patient("pat-1").consents(EMAIL)


def test_after_an_erasure_the_button_harms_nothing(desk: Desk) -> None:
    token = mailed(desk)
    with desk.outbox.transaction():
        desk.outbox.erase(desk.intake.patient("pat-1"), desk.now)
    assert wishes(desk).unsubscribe(token, desk.now) is not None


def test_a_look_at_a_token_makes_no_key(desk: Desk) -> None:
    desk.patient()
    assert wishes(desk).unsubscribing(TOKEN) is None
    assert wishes(desk).unsubscribe(TOKEN, desk.now) is None
    assert desk.outbox.secret() is None


def test_a_text_message_has_no_button(desk: Desk) -> None:
    desk.treat(desk.patient(channels="sms"), MORNING)
    desk.drain(DUE)
    assert desk.sms.sent[0].unsubscribe is None


@pytest.mark.parametrize("taken_out", ["listen", "public_url", "s://"])
def test_where_nobody_could_answer_there_is_no_button(tmp_path: Path, taken_out: str) -> None:
    lines = [line for line in PUBLIC.splitlines() if not line.startswith(taken_out)]
    config = configuration("\n".join(lines).replace(taken_out, "://"))
    desk = Desk(tmp_path, NOW, config=config)
    desk.protocol(NOTE)
    desk.treat(desk.patient(channels="email"), MORNING)
    desk.drain(DUE)
    assert desk.email.sent[0].unsubscribe is None
    desk.close()
