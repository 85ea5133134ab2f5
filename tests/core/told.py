"""A patient who was told something, before something else changed."""

from dataclasses import replace
from datetime import datetime, timedelta

from reminderd.corrections import Cause, Untrue
from reminderd.model import Chart, Session, SessionChange, State
from reminderd.plan import plan
from tests.core.build import (
    at,
    chart,
    check_in,
    course,
    course_step,
    inform,
    protocol,
    release,
    remembered,
    restriction,
    routine,
    session,
    with_session,
)

T = at("2026-03-10 14:30")
HOUR = timedelta(hours=1)
CARE = protocol(
    restriction("no-training", "exercise", holds="48h", quiet="ignore"),
    release("training-again", "exercise", after="48h"),
    restriction("no-wine", "wine", before="24h", holds="0m", quiet="ignore"),
    inform("bruising", day=1),
    routine("cream", days=(1, 2)),
    check_in(after="24h", expires="24h"),
    course_step(lead=-2, expires="7d"),
    course=course("14d", "30d"),
)


def sent_by(told: Chart, now: datetime) -> Chart:
    """The same chart at `now`, with everything that fell due by then sent when it was due."""
    planned = told if told.reminders else remembered(told, T - timedelta(days=7))
    left = tuple(
        each._replace(state=State.SENT, sent_at=each.due_at, wake_at=None)
        if each.state is State.SCHEDULED and each.due_at is not None and each.due_at <= now
        else each
        for each in planned.reminders
    )
    return remembered(replace(planned, reminders=left), now)


def changed(before: Chart, now: datetime, session_id: int = 1, **facts: object) -> Chart:
    """What staff changed about a session at `now`."""
    was = next(each for each in before.sessions if each.id == session_id)
    change = SessionChange(was, before.protocols[session_id], now, "ana", "because")
    after = with_session(before, session_id, **facts)
    return replace(after, changes=(*before.changes, change))


def found(chart: Chart, now: datetime) -> dict[str, Untrue]:
    """What is no longer true at `now`, by milestone; each flagged for staff, and nothing else."""
    planned = plan(chart, now)
    false = {
        step.detail.reminder.milestone: step.detail
        for each in planned
        for step in each.steps
        if isinstance(step.detail, Untrue)
    }
    flagged = {each.reminder.milestone for each in planned if each.reminder.needs_staff}
    assert flagged == set(false)
    return false


def causes(chart: Chart, now: datetime) -> dict[str, Cause]:
    return {name: each.cause for name, each in found(chart, now).items()}


def treated(now: datetime, **facts: object) -> Chart:
    """A treatment at T, booked a week before, and everything said as it fell due."""
    return sent_by(chart(session(T, **facts), CARE), now)


def and_again(before: Chart, second: Session) -> Chart:
    return replace(
        before,
        sessions=(*before.sessions, second),
        protocols={**before.protocols, second.id: CARE},
        approved=before.approved | {second.id},
    )
