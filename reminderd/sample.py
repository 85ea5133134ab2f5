"""An invented clinic with invented patients: for previews, and for proofreading templates."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import groupby

from reminderd.corrections import Cause, Untrue
from reminderd.model import (
    CareProtocol,
    Channel,
    Chart,
    Clinic,
    Consent,
    Kind,
    Milestone,
    OnDays,
    Patient,
    QuietHours,
    Reminder,
    Session,
    State,
)
from reminderd.plan import plan
from reminderd.practice import item
from reminderd.render import Item
from reminderd.timing import Treatment
from reminderd.vocabulary import AlertWords, Counted, DigestWords

CLINIC = Clinic(
    key="sample",
    name="Alba Skin Clinic",
    phone="+34 910 000 000",
    timezone="Europe/Madrid",
    country="ES",
    language="en",
    quiet_hours=QuietHours(time(21), time(8)),
)
SESSION_AT = datetime(2026, 3, 27, 13, 30, tzinfo=UTC)  # a Friday, just before the clocks change
PATIENT = Patient(
    clinic="sample",
    given_name="Marina",
    phone="+34600000000",
    email="m@example.org",
    consent={each: Consent(True, SESSION_AT - timedelta(days=90), "sample") for each in Channel},
)

LONGEST_NAME = "Maximiliana Guadalupe del Amor Hermosoya"
LONGEST_CLINIC_NAME = "Alba Clinic for Skin and Aesthetic Care"
AWKWARD_NAMES = (
    "Χαραλαμπία Αντιγόνη",
    "عبد الرحمن",
    LONGEST_NAME,
    "D'Arcy O'Neill",
    "<b>Bo</b>",
    "*_[Mo](http://example.org)_* `x` {{ y }}",
)

_RED_FLAG = AlertWords(
    "incident",
    "inc-3",
    severity="urgent",
    patients="pat-1 (A-17)",
    number="+34600000001",
    show="reminderd incident show inc-3",
    do="reminderd incident ack inc-3",
)
_TROUBLES = ("hold", "transport", "silence")
ALERTS = (
    _RED_FLAG,
    replace(_RED_FLAG, severity="emergency", patients="", number=""),
    replace(_RED_FLAG, what="unanswered", minutes=15),
    *(AlertWords(each, each, why="no", show="look", do="do") for each in _TROUBLES),
    AlertWords("text", "shower-again", why="no", show="look", do="do"),
    AlertWords("test", "test"),
)
_SOME = Counted(2, "rem-1, rem-2")
DIGESTS = (DigestWords(0, 0), DigestWords(12, 4, *[_SOME] * 7))


def items(protocol: CareProtocol) -> list[Item]:
    """Every reminder that one session of the protocol can have, in the order of the plan."""
    chart = _chart(protocol)
    reminders = [planned.reminder for planned in plan(chart, chart.sessions[0].recorded_at)]
    return [made for each in reminders if (made := item(chart, each)) is not None]


def treatment(protocol: CareProtocol) -> Treatment:
    """That session, with every tag that the protocol asks for."""
    chart = _chart(protocol)
    return Treatment.of(chart, chart.sessions[0])


def told_falsely(protocol: CareProtocol) -> tuple[Chart, list[Untrue]]:
    """That session, and what a correction can say of it: put off, longer, lifted, called off."""
    chart, later = _chart(protocol), SESSION_AT + timedelta(days=3)
    said = [each.reminder for each in items(protocol)]
    restrictions = [each for each in said if each.kind is Kind.RESTRICTION]
    dates = [each for each in said if each.kind is Kind.COURSE]
    moved, changed, off = Cause.MOVED, Cause.CHANGED, Cause.CALLED_OFF
    return chart, [
        *(Untrue(each, moved, SESSION_AT, later, later, SESSION_AT) for each in restrictions),
        *(Untrue(each, changed, SESSION_AT, later, later) for each in restrictions + dates),
        *(Untrue(each, changed, SESSION_AT, None) for each in restrictions + dates),
        *(Untrue(each, off, SESSION_AT, None) for each in said[:1]),
    ]


def _chart(protocol: CareProtocol) -> Chart:
    session = Session(
        patient_id=1,
        protocol=protocol.key,
        revision=protocol.revision,
        at=SESSION_AT,
        recorded_at=SESSION_AT - timedelta(days=60),
        id=1,
        tags=frozenset(tag for each in protocol.milestones for tag in each.only_for),
        area="face",
    )
    return Chart(PATIENT, CLINIC, (session,), {1: protocol}, approved=frozenset({1}))


def bundles(of: Sequence[Item]) -> list[list[Item]]:
    """Those that fall due at the same instant, together and in the order of a message."""
    kinds = list(Kind)
    planned = [each for each in of if each.reminder.due_at is not None]
    planned.sort(key=lambda each: (each.reminder.due_at, kinds.index(each.milestone.kind)))
    return [list(together) for _, together in groupby(planned, lambda each: each.reminder.due_at)]


def item_of(template: str) -> Item:
    """A reminder that knows everything a template can speak of, for one that no protocol uses."""
    milestone = Milestone(
        id=template,
        kind=Kind.INFORM,
        topics=frozenset({template}),
        timing=OnDays(1, 3, time(10)),
        template=template,
    )
    session = Session(1, "sample", 1, SESSION_AT, SESSION_AT, area="face")
    reminder = Reminder(
        session_id=1,
        protocol="sample",
        revision=1,
        milestone=template,
        occurrence=1,
        kind=milestone.kind,
        topics=milestone.topics,
        template=template,
        nominal_at=SESSION_AT,
        expires_at=SESSION_AT + timedelta(days=1),
        state=State.SCHEDULED,
        first_planned_at=SESSION_AT,
    )
    later = SESSION_AT + timedelta(days=3)
    return Item(reminder, milestone, session, 1, 3, until=later, next_at=later)


def patient(given_name: str, language: str) -> Patient:
    """The invented patient under another name and in another language."""
    return replace(PATIENT, given_name=given_name, language=language)
