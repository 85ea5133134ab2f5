"""Small pieces of charts, so that a test of planning reads as a promise."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time

from reminderd.hours import zone
from reminderd.model import (
    Adjustment,
    CareProtocol,
    Channel,
    Chart,
    Clinic,
    Consent,
    Course,
    CourseLead,
    Duration,
    Elapsed,
    Kind,
    Milestone,
    OnDays,
    Patient,
    QuietHours,
    QuietPolicy,
    Reminder,
    Session,
    SessionState,
    Timing,
)
from reminderd.plan import plan
from reminderd.steps import Planned

MADRID = "Europe/Madrid"
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


def at(text: str, zone_name: str = MADRID, *, fold: int = 0) -> datetime:
    """The instant at which clocks in the zone show `text`, such as `2026-03-28 14:30`."""
    local = datetime.fromisoformat(text).replace(tzinfo=zone(zone_name), fold=fold)
    return local.astimezone(UTC)


def local(instant: datetime | None, zone_name: str = MADRID) -> str | None:
    """What clocks in the zone show at that instant: `2026-03-28 14:30`."""
    return instant and f"{instant.astimezone(zone(zone_name)):%Y-%m-%d %H:%M}"


def milestone(
    id: str,
    kind: Kind,
    topics: Iterable[str],
    *,
    after: str | None = None,
    before: str | None = None,
    day: int | None = None,
    days: tuple[int, int] | None = None,
    lead: int | None = None,
    at: str = "10:00",
    holds: str | None = None,
    expires: str | None = None,
    quiet: str = "defer",
    channels: tuple[Channel, ...] | None = None,
    only_for: Iterable[str] = (),
    template: str | None = None,
) -> Milestone:
    """A milestone as a protocol file would have it; exactly one timing."""
    timing: Timing
    if after is not None:
        timing = Elapsed(Duration.parse(after).elapsed)
    elif before is not None:
        timing = Elapsed(-Duration.parse(before).elapsed)
    elif lead is not None:
        timing = CourseLead(lead, time.fromisoformat(at))
    else:
        first, last = days or (day or 0, day or 0)
        timing = OnDays(first, last, time.fromisoformat(at))
    return Milestone(
        id, kind, frozenset(topics), timing, template or id, holds and Duration.parse(holds),
        expires and Duration.parse(expires), QuietPolicy(quiet), channels, frozenset(only_for),
    )  # fmt: skip


def restriction(id: str = "no-shower", *topics: str, **more: object) -> Milestone:
    topics = topics or ("shower",)
    timing = {} if {"before", "day", "days"} & more.keys() else {"after": "0m"}
    return milestone(id, Kind.RESTRICTION, topics, **{**timing, "holds": "12h", **more})


def release(id: str = "shower-again", topic: str = "shower", **more: object) -> Milestone:
    return milestone(id, Kind.RELEASE, [topic], **{"after": "12h", "expires": "24h", **more})


def routine(id: str = "massage", *topics: str, **more: object) -> Milestone:
    topics = topics or ("massage",)
    return milestone(id, Kind.ROUTINE, topics, **{"day": 1, "expires": "10h", **more})


def inform(id: str = "bruising", *topics: str, **more: object) -> Milestone:
    topics = topics or ("bruising",)
    return milestone(id, Kind.INFORM, topics, **{"expires": "24h", **more})


def check_in(id: str = "check-in", **more: object) -> Milestone:
    return milestone(id, Kind.CHECK, ["check-in"], **{"after": "36h", "expires": "24h", **more})


def course_step(id: str = "next-session", **more: object) -> Milestone:
    return milestone(id, Kind.COURSE, ["course"], **{"lead": -2, "expires": "7d", **more})


def protocol(*milestones: Milestone, course: Course | None = None) -> CareProtocol:
    return CareProtocol("care", "Care", 1, milestones, course=course)


def course(*intervals: str, maximum: int | None = None) -> Course:
    return Course(tuple(map(Duration.parse, intervals)), None, maximum)


def session(when: datetime, *, id: int = 1, done: bool = True, **more: object) -> Session:
    """A session of the protocol `care`, recorded in the order of the ids."""
    state = SessionState.DONE if done else SessionState.BOOKED
    given = {"protocol": "care", "revision": 1, "recorded_at": LONG_AGO, "state": state, **more}
    return Session(patient_id=7, at=when, id=id, **given)


def adjusted(*, off: bool = False, holds: str | None = None, at: str | None = None) -> Adjustment:
    length, hour = holds and Duration.parse(holds), at and time.fromisoformat(at)
    return Adjustment("Nurse Nilsen", "swollen", off, length, hour)


def patient(
    *,
    channels: str = "sms email",
    consent: str = "sms email",
    phone: str | None = "+34600000001",
    email: str | None = "vera@example.org",
    **more: object,
) -> Patient:
    agreed = Consent(True, LONG_AGO, "form")
    return Patient(
        "main", "Vera", "Verano", id=7, phone=phone, email=email,
        channels=tuple(map(Channel, channels.split())),
        consent={Channel(each): agreed for each in consent.split()}, **more,
    )  # fmt: skip


def clinic(
    quiet: str = "21:00-08:00", zone_name: str = MADRID, leaving: Iterable[Channel] = ()
) -> Clinic:
    return Clinic(
        "main", "Alba Skin Clinic", "+34 910 000 000", zone_name, "ES", "en",
        QuietHours.parse(quiet), frozenset(leaving),
    )  # fmt: skip


VERA, ALBA = patient(), clinic()


def chart(
    sessions: Session | Iterable[Session],
    care: CareProtocol | Mapping[int | None, CareProtocol],
    *,
    patient: Patient = VERA,
    clinic: Clinic = ALBA,
    approved: Iterable[int] = (),
    reminders: Iterable[Reminder] = (),
) -> Chart:
    """One patient; `care` is the protocol of every session, or by session id."""
    sessions = (sessions,) if isinstance(sessions, Session) else tuple(sessions)
    if isinstance(care, CareProtocol):
        care = {each.id: replace(care, key=each.protocol) for each in sessions}
    return Chart(patient, clinic, sessions, care, tuple(reminders), frozenset(approved))


def rows(chart: Chart, now: datetime = LONG_AGO) -> list[Reminder]:
    """The plan, without the steps that led there; by default first planned long ago."""
    return [each.reminder for each in plan(chart, now)]


def row(chart: Chart, name: str, now: datetime = LONG_AGO, session_id: int = 1) -> Reminder:
    """The reminder of that milestone of that session, which has no other of it."""
    found = [
        each for each in rows(chart, now) if (each.milestone, each.session_id) == (name, session_id)
    ]
    assert len(found) == 1, found
    return found[0]


def state(reminder: Reminder) -> str:
    """`scheduled`, or `skipped/superseded`."""
    return f"{reminder.state}/{reminder.reason}" if reminder.reason else str(reminder.state)


def fate(chart: Chart, name: str, session_id: int = 1, now: datetime = LONG_AGO) -> str:
    """What becomes of the only reminder of that milestone of that session."""
    return state(row(chart, name, now, session_id))


def steps(chart: Chart, name: str, now: datetime = LONG_AGO, session_id: int = 1) -> Planned:
    return next(
        each
        for each in plan(chart, now)
        if (each.reminder.milestone, each.reminder.session_id) == (name, session_id)
    )


def remembered(chart: Chart, now: datetime = LONG_AGO) -> Chart:
    """The chart after its plan was stored: every reminder has an id."""
    known = max((each.id or 0 for each in chart.reminders), default=0)
    stored = []
    for each in rows(chart, now):
        known += each.id is None
        stored.append(each if each.id else each._replace(id=known))
    return replace(chart, reminders=tuple(stored))


def with_row(chart: Chart, name: str, session_id: int = 1, **facts: object) -> Chart:
    """The chart with stored facts of a milestone's reminders changed, such as their state."""
    wanted = (name, session_id)
    assert any((each.milestone, each.session_id) == wanted for each in chart.reminders)
    reminders = (
        each._replace(**facts) if (each.milestone, each.session_id) == wanted else each
        for each in chart.reminders
    )
    return replace(chart, reminders=tuple(reminders))


def with_session(chart: Chart, id: int = 1, **facts: object) -> Chart:
    """The chart with facts of one session changed, such as its instant or its state."""
    sessions = (replace(each, **facts) if each.id == id else each for each in chart.sessions)
    return replace(chart, sessions=tuple(sessions))
