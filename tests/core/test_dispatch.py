"""What becomes of what is due: bundling, the night, expiry, and what has changed since."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reminderd.lanes import Delivery
from reminderd.model import Channel, Consent, Message, Outcome, Patient, State
from tests.core.build import at, local, state
from tests.core.desk import NOTE, Desk, Post, rule

MORNING = "2026-03-10 10:00"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at(MORNING))
    yield desk
    desk.close()


def said(delivery: Delivery) -> list[str]:
    return [each.milestone for each in delivery.reminders]


# Bundling -----------------------------------------------------------------------------------------


def test_what_is_due_for_one_patient_on_one_channel_is_one_message_in_the_order_of_kinds(
    desk: Desk,
) -> None:
    desk.protocol(
        rule("next-visit", "course", lead="-1d", at="11:00", expires="2d"),
        rule("good-to-know", "inform", after="1h"),
        rule("today", "routine", after="1h"),
        rule("how-are-you", "check", after="1h"),
        rule("all-clear", "release", after="1h"),
        rule("do-not", "restriction", after="1h", holds="12h"),
        course='[course]\nintervals = ["1d"]\n',
    )
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 11:00")
    (delivery,) = desk.deliveries
    order = ["do-not", "all-clear", "how-are-you", "today", "good-to-know", "next-visit"]
    assert said(delivery) == order
    assert delivery.message.text.split("\n")[0].startswith("Line of do-not. Line of all-clear.")
    assert set(desk.states().values()) == {"sent"}
    assert {each.provider_id for each in desk.reminders()} == {f"provider-{delivery.message.id}"}


def test_two_patients_get_two_messages_and_two_channels_too(desk: Desk) -> None:
    desk.protocol(NOTE, rule("letter", after="1h", channels=["email"]))
    for name in ("Vera", "Paco"):
        desk.treat(desk.patient(name), MORNING)
    desk.drain("2026-03-10 11:00")
    assert [each.text for each in desk.sms.sent] == ["note for Vera", "note for Paco"]
    assert [each.subject for each in desk.email.sent] == ["About letter", "About letter"]


def test_what_is_overdue_after_an_outage_goes_out_once_and_bundled(desk: Desk) -> None:
    desk.protocol(NOTE, rule("later", after="3h"))
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 15:00")
    desk.drain()
    assert [said(each) for each in desk.deliveries] == [["note", "later"]]


def test_nothing_is_sent_before_it_is_due(desk: Desk) -> None:
    desk.protocol(NOTE)
    desk.treat(desk.patient(), MORNING)
    desk.drain(at("2026-03-10 11:00") - timedelta(milliseconds=1))
    assert desk.sms.sent == []
    assert desk.dispatch().next_wake_at(desk.now) == at("2026-03-10 11:00")


def test_every_message_has_an_id_of_its_own_that_names_this_installation(desk: Desk) -> None:
    desk.protocol(NOTE, rule("later", after="3h"))
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 11:00")
    desk.drain("2026-03-10 13:00")
    installation = desk.outbox.note("installation")
    assert [each.id for each in desk.sms.sent] == [f"msg-{n}-{installation}" for n in (1, 2)]


def test_more_than_one_batch_falls_due_at_once(desk: Desk) -> None:
    desk.protocol(NOTE)
    for _ in range(3):
        desk.treat(desk.patient(), MORNING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reminderd.lanes.BATCH", 1)
        desk.drain("2026-03-10 11:00")
    assert len(desk.sms.sent) == 3


def test_no_more_is_claimed_than_leaves_within_seconds(desk: Desk) -> None:
    desk.protocol(NOTE)
    desk.several(12, MORNING)
    desk.sms, desk.email = (Post(concurrency=1, max_per_second=0.5) for _ in range(2))
    claimed: list[int] = []

    def counts_and_stops(_: Message) -> None:
        states = [each.state for each in desk.reminders()]
        claimed.append(states.count(State.SENDING))
        desk.dispatch().request_stop()

    desk.sms.script(counts_and_stops)
    desk.drain("2026-03-10 11:00")
    assert claimed == [5]


# The night ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", ["defer", "advance"])
def test_after_an_outage_into_the_night_it_waits_until_the_morning(desk: Desk, policy: str) -> None:
    desk.protocol(rule("note", after="10h", quiet=policy, expires="20h"))
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 23:30")
    assert desk.sms.sent == []
    assert local(desk.the().wake_at) == "2026-03-11 08:00"
    assert local(desk.dispatch().next_wake_at(desk.now)) == "2026-03-11 08:00"
    desk.drain("2026-03-11 08:00")
    assert state(desk.the()) == "sent"


def test_what_may_come_at_any_hour_goes_out_in_the_night(desk: Desk) -> None:
    desk.protocol(rule("note", after="10h", quiet="ignore"))
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 23:30")
    assert state(desk.the()) == "sent"


@pytest.mark.parametrize(
    "keys", [{"quiet": "drop", "expires": "20h"}, {"quiet": "defer", "expires": "11h"}]
)
def test_what_must_not_wait_for_the_morning_is_not_sent_at_all(
    desk: Desk, keys: dict[str, str]
) -> None:
    desk.protocol(rule("note", after="10h", **keys))
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 23:30")
    assert desk.states() == {"note": "expired/quiet-hours"}
    assert desk.sms.sent == []


def test_the_night_is_the_patients_own(desk: Desk) -> None:
    desk.protocol(rule("note", after="1h"))
    desk.treat(desk.patient(timezone="America/New_York"), "2026-03-10 14:30")
    desk.drain("2026-03-10 15:30")  # 10:30 in New York
    assert state(desk.the()) == "sent"


# Too late, or no longer true ----------------------------------------------------------------------


def test_what_is_too_late_is_never_sent(desk: Desk) -> None:
    desk.protocol(NOTE)
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 23:00")
    assert desk.states() == {"note": "expired/late"}
    assert desk.sms.asked == 0


def test_an_all_clear_is_withheld_when_a_session_since_forbids_it(desk: Desk) -> None:
    desk.protocol(rule("all-clear", "release", topics=["shower"], after="2h"))
    desk.protocol(
        rule("do-not", "restriction", topics=["shower"], after="0m", holds="12h"), key="other"
    )
    vera = desk.patient()
    desk.treat(vera, MORNING)
    desk.treat(vera, "2026-03-10 11:30", "other")
    desk.drain("2026-03-10 12:00")
    assert desk.states()["all-clear"] == "skipped/superseded"
    assert [each.milestone for each in desk.reminders(needs_staff=True)] == ["all-clear"]


def test_an_all_clear_overdue_is_looked_at_as_of_now(desk: Desk) -> None:
    desk.protocol(
        rule("all-clear", "release", topics=["shower"], after="2h"),
        rule("do-not", "restriction", topics=["shower"], after="0m", holds="2h", quiet="ignore"),
    )
    vera = desk.patient()
    desk.treat(vera, MORNING)
    desk.book(vera, "2026-03-10 13:00")
    assert [state(each) for each in desk.reminders(session_id=1)][-1] == "scheduled"
    desk.drain("2026-03-10 13:30")
    (overdue,) = (e for e in desk.reminders(session_id=1) if e.milestone == "all-clear")
    assert state(overdue) == "skipped/superseded"


def withdrawn(patient: Patient) -> Patient:
    said = Consent(False, at(MORNING), "phone call")
    return replace(patient, consent={**patient.consent, Channel.SMS: said})


CHANGED_BEHIND_THE_PLAN = {
    "consent withdrawn": (withdrawn, "skipped/no-consent"),
    "paused": (lambda each: replace(each, paused=True), "held/paused"),
    "number removed": (lambda each: replace(each, phone=None), "skipped/no-address"),
    "number wrong": (
        lambda each: replace(each, bad_addresses=frozenset({Channel.SMS})),
        "skipped/no-address",
    ),
}


@pytest.mark.parametrize("change", CHANGED_BEHIND_THE_PLAN)
def test_what_changed_behind_the_plan_is_seen_at_the_instant_of_sending(
    desk: Desk, change: str
) -> None:
    edit, expected = CHANGED_BEHIND_THE_PLAN[change]
    desk.protocol(NOTE)
    vera = desk.patient(channels="sms")
    desk.treat(vera, MORNING)
    with desk.outbox.transaction():
        desk.outbox.update_patient(edit(vera), desk.now)
    desk.drain("2026-03-10 11:00")
    assert desk.states() == {"note": expected}
    assert desk.sms.asked == 0


def test_a_withdrawn_consent_moves_the_reminder_to_the_other_channel(desk: Desk) -> None:
    desk.protocol(NOTE)
    vera = desk.patient()
    desk.treat(vera, MORNING)
    with desk.outbox.transaction():
        desk.outbox.update_patient(withdrawn(vera), desk.now)
    desk.drain("2026-03-10 11:00")
    assert (desk.sms.asked, len(desk.email.sent)) == (0, 1)


def test_a_patient_who_opts_out_while_a_batch_is_under_way_gets_nothing_more(desk: Desk) -> None:
    desk.protocol(NOTE)
    vera, paco = desk.patient("Vera"), desk.patient("Paco", channels="sms")
    for each in (vera, paco):
        desk.treat(each, MORNING)

    def slow(_: object) -> None:
        desk.clock.move(timedelta(seconds=20))
        desk.intake.record_consent(
            f"pat-{paco.id}", [Channel.SMS], granted=False, source="STOP", now=desk.now
        )

    desk.sms.script(slow)
    desk.drain("2026-03-10 11:00")
    assert [each.text for each in desk.sms.sent] == ["note for Vera"]
    assert [state(each) for each in desk.reminders(patient_id=paco.id)] == ["skipped/no-consent"]


# Templates ----------------------------------------------------------------------------------------


def test_a_template_that_fails_takes_down_its_own_reminder_and_no_other(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.protocol(NOTE, rule("broken", after="1h"))
    desk.template("broken", "{% block line %}{{ nobody.knows }}{% endblock %}")
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 11:00")
    assert desk.states() == {"note": "sent", "broken": "failed/template"}
    assert [each.text for each in desk.sms.sent] == ["note for Vera"]
    assert [each.milestone for each in desk.reminders(needs_staff=True)] == ["broken"]
    assert any("broken.j2" in each.getMessage() for each in caplog.records)


def test_where_every_template_fails_nothing_leaves(desk: Desk) -> None:
    desk.protocol(rule("broken", after="1h"))
    desk.template("broken", "{% block line %}{{ 1 / 0 }}{% endblock %}")
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 11:00")
    assert (desk.states(), desk.sms.asked) == ({"broken": "failed/template"}, 0)
    (attempt,) = desk.outbox.attempts(desk.the("broken").id or 0)
    assert attempt.outcome is Outcome.RETURNED


# What the log may say -----------------------------------------------------------------------------


def test_the_log_names_reminders_and_never_a_person_an_address_or_a_text(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.protocol(NOTE, rule("broken", after="2h"))
    desk.template("broken", "{% block line %}{{ patient.given_name.nothing }}{% endblock %}")
    desk.treat(desk.patient("Veronika"), MORNING)
    desk.sms.script(RuntimeError("no route for +34600000001 Veronika note for Veronika"))
    desk.drain("2026-03-10 11:00")
    desk.drain("2026-03-10 12:00")
    text = caplog.text
    assert "rem-1" in text
    for private in ("Veronika", "Verano", "600000001", "vera@example.org", "note for"):
        assert private not in text
