"""A text that a provider refuses stops for everybody, until it is mended or a person says so."""

from reminderd.errors import ContentRefused
from reminderd.model import Channel
from reminderd.stopped_texts import resume, stopped
from tests.core.build import at, state
from tests.core.desk import NOTE, Desk, rule

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"


def refused_text(desk: Desk) -> None:
    desk.treat(desk.patient("Vera"), MORNING)
    desk.sms.script(ContentRefused("spam", code="30007"))
    desk.drain(DUE)


def texts_that_wait(desk: Desk) -> list[str]:
    return [each.template for each in stopped(desk.outbox, desk.house.practice.texts)]


def test_a_refused_text_waits_for_a_person_and_takes_no_other_way(desk: Desk) -> None:
    refused_text(desk)
    desk.treat(desk.patient("Paco"), MORNING)
    desk.later(hours=1)
    assert {state(each) for each in desk.reminders()} == {"scheduled"}
    assert (desk.sms.asked, desk.email.asked) == (1, 0)
    (waits,) = stopped(desk.outbox, desk.house.practice.texts)
    assert (waits.template, waits.channel, waits.since) == ("note", Channel.SMS, at(DUE))
    assert "console" in waits.why


def test_a_refused_text_leaves_within_minutes_of_a_persons_word(desk: Desk) -> None:
    refused_text(desk)
    with desk.outbox.transaction():
        resume(desk.outbox, stopped(desk.outbox, desk.house.practice.texts), "Ana", desk.now)
    desk.later(minutes=5)
    assert (state(desk.the()), texts_that_wait(desk)) == ("sent", [])


def test_a_word_lets_go_of_what_was_seen_and_not_of_what_came_up_since(desk: Desk) -> None:
    desk.protocol(NOTE, rule("other", after="2h", expires="8h"))
    refused_text(desk)
    seen = stopped(desk.outbox, desk.house.practice.texts)
    desk.sms.script(ContentRefused("spam", code="30007"))
    desk.later(hours=1)
    with desk.outbox.transaction():
        resume(desk.outbox, seen, "Ana", desk.now)
    assert texts_that_wait(desk) == ["other"]


def test_a_refused_text_leaves_once_it_reads_otherwise(desk: Desk) -> None:
    refused_text(desk)
    desk.template("note", "{% block sms %}Something else{% endblock %}")
    desk.reload()
    desk.later(minutes=5)
    assert (state(desk.the()), texts_that_wait(desk)) == ("sent", [])


def test_other_texts_go_on_while_one_is_refused(desk: Desk) -> None:
    desk.protocol(NOTE, rule("other", after="2h", expires="8h", template="other"))
    refused_text(desk)
    desk.later(hours=1)
    assert [(each.milestone, state(each)) for each in desk.reminders()] == [
        ("note", "scheduled"),
        ("other", "sent"),
    ]


def test_a_text_that_waits_expires_like_any_other_and_is_reported(desk: Desk) -> None:
    desk.protocol(rule("note", after="1h", expires="8h"))
    refused_text(desk)
    desk.later(hours=8)
    assert state(desk.the()) == "expired/late"
