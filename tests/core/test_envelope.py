"""What is kept of a mail is enough to send the very same again."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from reminderd.envelope import opened, sealed
from reminderd.model import Message
from reminderd.outbox_values import Doubt
from reminderd.transports.mail import Mailbox, compose
from tests.transports.letters import CALENDAR, email

SENDER = Mailbox.parse("Alba Skin Clinic <care@example.org>")


def doubt_of(message: Message, envelope: str | None) -> Doubt:
    return Doubt(
        1, 2, 3, message.channel, "smtp", message.at, 0, None, None, message.to, message.language,
        message.subject, message.text, message.html, envelope, (),
    )  # fmt: skip


@pytest.mark.parametrize("calendar", [None, CALENDAR])
@pytest.mark.parametrize("button", [None, "https://care.example.org/unsubscribe/abc"])
@pytest.mark.parametrize("name", ["Ana Prueba", "عبد الرحمن", "D'Arcy \"Bo\" O'Neill"])
def test_a_mail_taken_from_its_envelope_is_byte_for_byte_the_same(
    calendar: object, button: str | None, name: str
) -> None:
    message = email(recipient_name=name, calendar=calendar, unsubscribe=button)
    again = opened(doubt_of(message, sealed(message)), timedelta(minutes=5))
    assert again is not None
    assert replace(again, valid_for=message.valid_for) == message
    assert compose(again, SENDER) == compose(message, SENDER)


def test_an_envelope_from_before_there_was_a_button_opens() -> None:
    kept = json.loads(sealed(email()))
    del kept["unsubscribe"]
    again = opened(doubt_of(email(), json.dumps(kept)), timedelta(minutes=5))
    assert again is not None
    assert again.unsubscribe is None


def test_without_an_envelope_there_is_nothing_to_send_again() -> None:
    assert opened(doubt_of(email(), None), timedelta(minutes=5)) is None
