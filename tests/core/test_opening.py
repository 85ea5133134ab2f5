"""Which messages carry the patient's copy: the mail that opens a session's aftercare."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reminderd import forecast
from reminderd.errors import Temporary, WrongAddress
from reminderd.model import Message
from reminderd.roster import Entry, SessionEntry
from reminderd.transports.mail import Mailbox
from reminderd.transports.mail import compose as written_mail
from tests.core.build import at, state
from tests.core.desk import Desk, patient, rule

NOON, LATER = "2026-03-10 12:00", "2026-03-10 15:00"
DRY = rule("dry", "restriction", after="0m", holds="12h", quiet="ignore")
CARE = (DRY, rule("note", after="3h"), rule("again", "release", topics=["dry"], after="12h"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    desk.protocol(*CARE)
    yield desk
    desk.close()


def with_copy(message: Message) -> bool:
    """Whether the table and the file are there; never only one of them."""
    there = "## Your dates" in message.text
    assert there is (message.calendar is not None)
    assert there is ("<table" in (message.html or ""))
    return there


def told(message: Message) -> list[str]:
    assert message.calendar is not None
    return [each.summary for each in message.calendar.events]


def test_only_the_mail_that_opens_the_aftercare_carries_the_plan(desk: Desk) -> None:
    desk.treat(desk.patient(channels="email"), NOON)
    for when in (NOON, LATER, "2026-03-11 08:00"):
        desk.drain(when)
    assert [with_copy(each) for each in desk.email.sent] == [True, False, False]
    opening = desk.email.sent[0]
    assert told(opening) == ["Line of dry.", "Line of note.", "Line of again."]
    assert opening.text.startswith("dry by mail\n\n## Your dates")
    assert "| Until Wednesday 11 March at 00:00 | Line of dry. |" in opening.text


def test_a_text_message_never_carries_it(desk: Desk) -> None:
    desk.treat(desk.patient(channels="sms email"), NOON)
    desk.drain(NOON)
    (message,) = desk.sms.sent
    assert not with_copy(message)


def test_what_is_told_by_text_message_is_in_the_plan_of_the_mail(desk: Desk) -> None:
    desk.protocol(DRY, rule("note", after="3h", channels=["sms"]), rule("far", day=9, at="10:00"))
    desk.treat(desk.patient(channels="email sms"), NOON)
    desk.drain(NOON)
    assert told(desk.email.sent[0]) == ["Line of dry.", "Line of note.", "Line of far."]


def test_a_mail_before_the_treatment_carries_nothing(desk: Desk) -> None:
    desk.protocol(rule("before", before="2h"), *CARE)
    desk.book(desk.patient(channels="email"), NOON)
    desk.drain("2026-03-10 10:00")
    assert [with_copy(each) for each in desk.email.sent] == [False]
    desk.clock.move_to(at(NOON))
    desk.intake.session_done("ses-1", None, desk.now)
    desk.drain(NOON)
    assert [with_copy(each) for each in desk.email.sent] == [False, True]
    assert "Line of before." not in told(desk.email.sent[1])


def test_the_first_mail_after_a_text_that_did_not_arrive_carries_it(desk: Desk) -> None:
    desk.sms.script(WrongAddress("nobody", code="30005"))
    desk.treat(desk.patient(), NOON)
    desk.drain(NOON)
    assert [with_copy(each) for each in desk.email.sent] == [True]


def test_of_two_mails_that_were_due_at_the_treatment_the_first_carries_it(desk: Desk) -> None:
    desk.protocol(DRY, rule("asleep", after="0m", expires="20h"))
    desk.treat(desk.patient(channels="email"), "2026-03-10 22:00")
    desk.drain("2026-03-10 22:00")
    desk.drain("2026-03-11 08:00")
    assert [with_copy(each) for each in desk.email.sent] == [True, False]


def test_a_copy_tells_what_stands_in_every_session_of_the_patient(desk: Desk) -> None:
    desk.protocol(DRY, rule("spf", "routine", days=[1, 3], at="10:00"))
    desk.protocol(rule("early", before="24h"), rule("held", after="1h"), key="other")
    who = desk.patient(channels="email")
    desk.treat(who, NOON)
    desk.book(who, "2026-03-13 12:00", "other")
    desk.drain(NOON)
    desk.treat(who, "2026-03-11 12:00")
    desk.drain("2026-03-11 12:00")
    first, *_, second = desk.email.sent
    spf = "Line of spf."
    assert told(first) == ["Line of dry.", spf, spf, "Line of early.", spf]
    assert told(second) == ["Line of dry.", spf, "Line of early.", spf, spf]


def test_when_it_is_tried_again_it_is_the_same_but_for_its_date(desk: Desk) -> None:
    desk.treat(desk.patient(channels="email"), NOON)
    seen: list[Message] = []

    def fail(message: Message) -> None:
        seen.append(message)
        raise Temporary("not now")

    desk.email.script(fail)
    desk.drain(NOON)
    desk.later(minutes=1)
    seen.append(desk.email.sent[0])
    once, again = seen
    assert (once.text, once.html, once.calendar) == (again.text, again.html, again.calendar)
    assert once.at < again.at
    sender = Mailbox("", "care@example.org")
    assert written_mail(again, sender) == written_mail(again, sender)


def test_what_is_on_the_record_is_what_was_sent(desk: Desk) -> None:
    desk.treat(desk.patient(channels="email"), NOON)
    desk.drain(NOON)
    (kept,), (sent,) = desk.outbox.left(1), desk.email.sent
    assert kept.text == sent.text
    ((html,),) = desk.outbox.query("SELECT html FROM messages")
    assert html == sent.html


def test_a_reminder_whose_template_fails_is_not_in_the_plan(desk: Desk) -> None:
    desk.template("note", "{% block line %}{{ oops }}{% endblock %}")
    desk.treat(desk.patient(channels="email"), NOON)
    desk.drain(NOON)
    assert told(desk.email.sent[0]) == ["Line of dry.", "Line of again."]
    desk.drain(LATER)
    assert state(desk.the()) == "failed/template"


def test_a_forecast_shows_the_first_mail_as_it_will_leave(desk: Desk) -> None:
    treatment = SessionEntry("care", at(NOON), frozenset(), None)
    entry = Entry(2, patient(channels="email", ref="A-1"), treatment)
    prepared = desk.house.importer.prepare([entry], at(NOON))
    expected = forecast.of(prepared, desk.house.renderer, at(NOON)).first[0][1].text
    desk.house.importer.store(prepared, at(NOON))
    desk.drain(NOON)
    assert desk.email.sent[0].text == expected
    assert with_copy(desk.email.sent[0])
