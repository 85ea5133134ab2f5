"""All of a patient's reminders, each with its state and the reason (contract, section 4). Pure.

Read `plan` first: it walks over sessions and milestones, and for each reminder over `RULES` in
order; the first rule that finds a reason ends the walk.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from reminderd.hours import ONE_DAY, add, end_of_quiet, local_date, quiet_period, resolve
from reminderd.model import (
    CareProtocol,
    Channel,
    Chart,
    CourseLead,
    Duration,
    Elapsed,
    Kind,
    Milestone,
    OnDays,
    QuietPolicy,
    Reason,
    Reminder,
    ReminderKey,
    Session,
    SessionState,
    State,
)

ONE_MINUTE = timedelta(minutes=1)
WAITING = frozenset({State.SCHEDULED, State.HELD})
HISTORY = frozenset({State.SENT, State.SENDING, State.FAILED, State.UNKNOWN})
LEFT = frozenset({State.SENT, State.SENDING, State.UNKNOWN})


class Rule(StrEnum):
    """What can decide about a reminder; `explain` has a sentence for each."""

    NOMINAL = "nominal"
    AT_TREATMENT = "at-treatment"
    LONGER_HOLD = "longer-hold"
    EXPIRY = "expiry"
    TAGS = "tags"
    TURNED_OFF = "turned-off"
    NO_TIME_LEFT = "no-time-left"
    DEFERRED = "deferred"
    ADVANCED = "advanced"
    DROPPED = "dropped"
    IGNORED = "ignored"
    PAST = "past"
    FORBIDDEN = "forbidden"
    CHANNEL = "channel"
    NO_CHANNEL = "no-channel"
    BOOKED = "booked"
    COURSE_COMPLETE = "course-complete"
    HELD = "held"
    DUPLICATE = "duplicate"


class Step(NamedTuple):
    """One thing that a rule found, and at which instant; `detail` names the other party."""

    rule: Rule
    at: datetime | None = None
    detail: object = None


class Planned(NamedTuple):
    """A reminder as it is to be from now on, and the steps that led there."""

    reminder: Reminder
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Ban:
    """A restriction in force: its topics are forbidden during `[start, end)`."""

    topics: frozenset[str]
    start: datetime
    end: datetime
    session_id: int | None
    milestone: str

    def forbids(self, topics: frozenset[str], at: datetime) -> bool:
        return self.start <= at < self.end and not self.topics.isdisjoint(topics)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What every rule may look at."""

    chart: Chart
    zone: str
    now: datetime
    bans: tuple[Ban, ...]


@dataclass(slots=True)
class _Draft:
    """A reminder while it is being planned; `before` is the row that it replaces, if any."""

    session: Session
    protocol: CareProtocol
    milestone: Milestone
    occurrence: int
    before: Reminder | None
    first_planned_at: datetime
    nominal_at: datetime
    expires_at: datetime
    state: State = State.SCHEDULED
    reason: Reason | None = None
    due_at: datetime | None = None
    channel: Channel | None = None
    steps: list[Step] = field(default_factory=list)

    def skip(self, reason: Reason, step: Step) -> None:
        self.state, self.reason = State.SKIPPED, reason
        self.steps.append(step)


def plan(chart: Chart, now: datetime) -> list[Planned]:
    """Every reminder of the patient as it is to be at `now`, sorted as `reminder list` is.

    The reminders in `chart` are those planned before; an unchanged chart gives them back unchanged.
    """
    scene = _Scene(chart, chart.timezone, now, bans(chart))
    known = {reminder.key: reminder for reminder in chart.reminders}
    kept: list[Planned] = []
    drafts: list[_Draft] = []
    for session in chart.sessions:
        if session.stands:
            for draft in _drafts(scene, session, known):
                if _is_history(draft, now):
                    kept.append(Planned(_aged(draft, now), tuple(draft.steps)))
                else:
                    _apply_rules(draft, scene)
                    drafts.append(draft)
    kept += [Planned(_withdrawn(reminder, chart, now), ()) for reminder in known.values()]
    _skip_duplicates(drafts, [each.reminder for each in kept], scene)
    planned = kept + [Planned(_finished(draft, scene), tuple(draft.steps)) for draft in drafts]
    return sorted(_with_staff_flags(planned, scene), key=lambda each: sort_key(each.reminder))


def changes(chart: Chart, now: datetime) -> list[Reminder]:
    """The diff: those reminders of a new plan that are new or differ from what was planned."""
    before = {reminder.key: reminder for reminder in chart.reminders}
    return [
        each.reminder for each in plan(chart, now) if before.get(each.reminder.key) != each.reminder
    ]


def sort_key(reminder: Reminder) -> tuple[bool, datetime, datetime, str, int, int]:
    """By due (nulls last), then nominal, milestone, occurrence, session."""
    due = reminder.due_at
    return (
        due is None,
        due or reminder.nominal_at,
        reminder.nominal_at,
        reminder.milestone,
        reminder.occurrence,
        reminder.session_id or 0,
    )


# Step 0: history ------------------------------------------------------------------------------


def _is_history(draft: _Draft, now: datetime) -> bool:
    before = draft.before
    return before is not None and (
        before.state in HISTORY or _stays_cancelled(before) or draft.expires_at <= now
    )


def _stays_cancelled(reminder: Reminder) -> bool:
    """What staff called off stays off through every new plan, until staff ask for it again."""
    return reminder.state is State.CANCELLED and reminder.reason is Reason.BY_STAFF


def _aged(draft: _Draft, now: datetime) -> Reminder:
    """What was waiting past its expiry is `expired`; everything else stays as it was."""
    assert draft.before is not None
    if draft.before.state not in WAITING:
        return draft.before
    return expired(replace(draft.before, nominal_at=draft.nominal_at, expires_at=draft.expires_at))


def expired(reminder: Reminder) -> Reminder:
    """The waiting reminder as it is once its expiry has come."""
    late = reminder.state is State.SCHEDULED
    reason = Reason.LATE if late else reminder.reason
    return replace(reminder, state=State.EXPIRED, reason=reason, wake_at=None)


def _withdrawn(reminder: Reminder, chart: Chart, now: datetime) -> Reminder:
    """A reminder whose session was called off, or whose milestone is no longer in the protocol."""
    if reminder.state not in WAITING:
        return reminder
    if reminder.expires_at <= now:
        return expired(reminder)
    stands = any(each.id == reminder.session_id and each.stands for each in chart.sessions)
    reason = Reason.CHANGED if stands else Reason.SESSION_CANCELLED
    return replace(reminder, state=State.CANCELLED, reason=reason, wake_at=None)


# Step 1: nominal instant and expiry -----------------------------------------------------------


def _drafts(
    scene: _Scene, session: Session, known: dict[ReminderKey, Reminder]
) -> Iterable[_Draft]:
    """A draft for each occurrence of each milestone; takes its row out of `known`."""
    protocol = scene.chart.protocols[session.id]
    place = place_in_course(scene.chart.sessions, session)
    for milestone in protocol.milestones:
        for occurrence in range(1, milestone.occurrences + 1):
            before = known.pop((session.id, milestone.id, occurrence), None)
            steps: list[Step] = []
            nominal = _nominal(scene, session, protocol, milestone, occurrence, place, steps)
            expires = _expiry(scene.zone, session, milestone, nominal)
            steps.append(Step(Rule.EXPIRY, expires))
            first_planned_at = before.first_planned_at if before else scene.now
            yield _Draft(
                session, protocol, milestone, occurrence, before, first_planned_at,
                nominal, expires, steps=steps,
            )  # fmt: skip


def _nominal(
    scene: _Scene,
    session: Session,
    protocol: CareProtocol,
    milestone: Milestone,
    occurrence: int,
    place: int,
    steps: list[Step],
) -> datetime:
    """The instant that the protocol means, before anything moves it."""
    nominal = _timed(scene.zone, session, protocol, milestone, occurrence, place)
    steps.append(Step(Rule.NOMINAL, nominal, milestone.timing))
    if milestone.kind is Kind.RELEASE and session.adjustments:
        nominal = _released_later(scene.zone, session, protocol, milestone, nominal, steps)
    if nominal < session.at and not milestone.is_pre_care:
        steps.append(Step(Rule.AT_TREATMENT, session.at))
        return session.at
    return nominal


def _timed(
    zone: str,
    session: Session,
    protocol: CareProtocol,
    milestone: Milestone,
    occurrence: int,
    place: int,
) -> datetime:
    adjustment = session.adjustments.get(milestone.id)
    match milestone.timing:
        case Elapsed(offset):
            return session.at + offset
        case OnDays(first, _, at):
            day = local_date(zone, session.at) + (first + occurrence - 1) * ONE_DAY
        case CourseLead(lead_days, at):
            day = _next_date(zone, session, protocol, place) + lead_days * ONE_DAY
    return resolve(zone, day, (adjustment and adjustment.at) or at)


def _released_later(
    zone: str,
    session: Session,
    protocol: CareProtocol,
    release: Milestone,
    nominal: datetime,
    steps: list[Step],
) -> datetime:
    """A release moves with the restriction that staff made longer or shorter for this session."""
    for milestone in protocol.milestones:
        adjustment = session.adjustments.get(milestone.id)
        if (
            adjustment is not None
            and adjustment.holds is not None
            and milestone.holds is not None
            and not milestone.topics.isdisjoint(release.topics)
            and nominal == add(zone, session.at, milestone.holds)
        ):
            moved = add(zone, session.at, adjustment.holds)
            steps.append(Step(Rule.LONGER_HOLD, moved, milestone.id))
            return moved
    return nominal


def _expiry(zone: str, session: Session, milestone: Milestone, nominal: datetime) -> datetime:
    if milestone.expires is not None:
        expires = add(zone, nominal, milestone.expires)
    else:
        expires = add(zone, session.at, holds(session, milestone))
    return min(expires, session.at) if milestone.is_pre_care else expires


def holds(session: Session, milestone: Milestone) -> Duration:
    """How long a restriction holds after this session, staff's adjustment included."""
    adjustment = session.adjustments.get(milestone.id)
    adjusted = adjustment.holds if adjustment else None
    duration = adjusted or milestone.holds
    assert duration is not None, "only restrictions hold, and a file without is refused"
    return duration


def place_in_course(sessions: Sequence[Session], session: Session) -> int:
    """The session's number in its course, counting from 1."""
    return sum(
        1
        for each in sessions
        if each.stands and each.protocol == session.protocol and each.at <= session.at
    )


def _next_date(zone: str, session: Session, protocol: CareProtocol, place: int) -> date:
    assert protocol.course is not None, "a file with a course milestone and no course is refused"
    interval = protocol.course.interval_after(place)
    return local_date(zone, session.at) + interval.amount * ONE_DAY


def next_session_at(chart: Chart, session: Session) -> datetime | None:
    """When the next session of the course falls due: its date, at this session's local time."""
    protocol = chart.protocols[session.id]
    if protocol.course is None:
        return None
    place = place_in_course(chart.sessions, session)
    interval = protocol.course.interval_after(place)
    return add(chart.timezone, session.at, interval)


# Steps 2 to 8: the rules, in this order --------------------------------------------------------


def _apply_rules(draft: _Draft, scene: _Scene) -> None:
    for rule in RULES:
        rule(draft, scene)
        if draft.reason is not None:
            return


def _applies(session: Session, milestone: Milestone) -> bool:
    return not milestone.only_for or not milestone.only_for.isdisjoint(session.tags)


def _turned_off(session: Session, milestone: Milestone) -> bool:
    adjustment = session.adjustments.get(milestone.id)
    return adjustment is not None and adjustment.off


def _not_applicable(draft: _Draft, scene: _Scene) -> None:
    session, milestone = draft.session, draft.milestone
    if not _applies(session, milestone):
        draft.skip(Reason.NOT_APPLICABLE, Step(Rule.TAGS, None, milestone.only_for))
    elif _turned_off(session, milestone):
        draft.skip(Reason.OVERRIDE, Step(Rule.TURNED_OFF, None, session.adjustments[milestone.id]))
    elif draft.nominal_at >= draft.expires_at and session.adjustments:
        draft.skip(Reason.OVERRIDE, Step(Rule.NO_TIME_LEFT, draft.expires_at))


def _quiet_hours(draft: _Draft, scene: _Scene) -> None:
    due = _out_of_quiet_hours(draft, scene)
    if due is None or due >= draft.expires_at:
        draft.skip(Reason.QUIET_HOURS, Step(Rule.DROPPED, due))
    else:
        draft.due_at = due


def _out_of_quiet_hours(draft: _Draft, scene: _Scene) -> datetime | None:
    """Where the milestone's policy moves the nominal instant; None where it gives it up."""
    nominal, policy, quiet = draft.nominal_at, draft.milestone.quiet, scene.chart.clinic.quiet_hours
    period = quiet_period(scene.zone, quiet, nominal)
    if period is None:
        return nominal
    if policy is QuietPolicy.IGNORE:
        draft.steps.append(Step(Rule.IGNORED, nominal, period))
        return nominal
    if policy is QuietPolicy.DROP:
        return None
    early = period[0] - ONE_MINUTE
    if policy is QuietPolicy.ADVANCE and _may_be_due_at(early, draft, scene):
        draft.steps.append(Step(Rule.ADVANCED, early, period))
        return early
    late = end_of_quiet(scene.zone, quiet, nominal)
    draft.steps.append(Step(Rule.DEFERRED, late, period))
    return late


def _may_be_due_at(early: datetime, draft: _Draft, scene: _Scene) -> bool:
    treated = draft.milestone.is_pre_care or early >= draft.session.at
    awake = quiet_period(scene.zone, scene.chart.clinic.quiet_hours, early) is None
    return treated and awake and early >= draft.first_planned_at


def _past(draft: _Draft, scene: _Scene) -> None:
    if draft.first_planned_at >= draft.expires_at:
        draft.skip(Reason.PAST, Step(Rule.PAST, draft.first_planned_at))


def _forbidden(draft: _Draft, scene: _Scene) -> None:
    assert draft.due_at is not None
    reason = _REASON_WHERE_FORBIDDEN.get(draft.milestone.kind)
    if reason is not None:
        ban = _ban_on(scene.bans, draft.milestone.topics, max(draft.due_at, scene.now))
        if ban is not None:
            draft.skip(reason, Step(Rule.FORBIDDEN, ban.end, ban))


_REASON_WHERE_FORBIDDEN = {Kind.RELEASE: Reason.SUPERSEDED, Kind.ROUTINE: Reason.CONFLICT}


def _ban_on(bans: Iterable[Ban], topics: frozenset[str], at: datetime) -> Ban | None:
    """The ban on any of these topics that lasts longest, of those in force at that instant."""
    return max(
        (ban for ban in bans if ban.forbids(topics, at)), key=lambda ban: ban.end, default=None
    )


def bans(chart: Chart) -> tuple[Ban, ...]:
    """What the patient's sessions forbid and when, whatever becomes of the reminders about it."""
    zone = chart.timezone
    found = []
    for session in chart.sessions:
        if not session.stands:
            continue
        protocol = chart.protocols[session.id]
        for milestone in protocol.milestones:
            if (
                milestone.kind is Kind.RESTRICTION
                and _applies(session, milestone)
                and not _turned_off(session, milestone)
            ):
                nominal = _timed(zone, session, protocol, milestone, 1, 1)
                start = min(nominal, session.at)
                end = add(zone, session.at, holds(session, milestone))
                found.append(Ban(milestone.topics, start, end, session.id, milestone.id))
    return tuple(found)


def _choose_channel(draft: _Draft, scene: _Scene) -> None:
    patient = scene.chart.patient
    allowed = draft.milestone.channels
    listed = [each for each in patient.channels if allowed is None or each in allowed]
    reachable = [each for each in listed if patient.address(each)]
    for channel in reachable:
        if patient.consents(channel):
            draft.channel = channel
            draft.steps.append(Step(Rule.CHANNEL, None, channel))
            return
    reason = Reason.NO_CONSENT if reachable else Reason.NO_ADDRESS
    draft.skip(reason, Step(Rule.NO_CHANNEL, None, tuple(listed)))


def _course(draft: _Draft, scene: _Scene) -> None:
    if draft.milestone.kind is not Kind.COURSE:
        return
    session, sessions = draft.session, scene.chart.sessions
    later = next((each for each in sessions if _continues(each, session)), None)
    if later is not None:
        draft.skip(Reason.BOOKED, Step(Rule.BOOKED, later.at, later))
        return
    course = draft.protocol.course
    maximum = course.maximum if course else None
    if maximum is not None and place_in_course(sessions, session) >= maximum:
        draft.skip(Reason.NOT_APPLICABLE, Step(Rule.COURSE_COMPLETE, None, maximum))


def _continues(other: Session, session: Session) -> bool:
    return other.stands and other.protocol == session.protocol and other.at > session.at


def _holds(draft: _Draft, scene: _Scene) -> None:
    chart = scene.chart
    aftercare = not draft.milestone.is_pre_care
    if draft.channel in chart.clinic.leaving and draft.session.id not in chart.approved:
        reason = Reason.UNAPPROVED
    elif chart.patient.paused:
        reason = Reason.PAUSED
    elif aftercare and draft.session.state is SessionState.BOOKED:
        reason = Reason.UNCONFIRMED
    else:
        return
    draft.state, draft.reason = State.HELD, reason
    draft.steps.append(Step(Rule.HELD, None, reason))


RULES: tuple[Callable[[_Draft, _Scene], None], ...] = (
    _not_applicable,
    _quiet_hours,
    _past,
    _forbidden,
    _choose_channel,
    _course,
    _holds,
)


# Step 9: duplicates between sessions -----------------------------------------------------------


def _skip_duplicates(drafts: Sequence[_Draft], kept: Iterable[Reminder], scene: _Scene) -> None:
    """Of what says the same on the same local date, one session's stays (routine, inform)."""
    if len(scene.chart.sessions) < 2:
        return
    rank = {each.id: (each.at, each.recorded_at, each.id or 0) for each in scene.chart.sessions}
    left: dict[object, set[int | None]] = {}
    for reminder in kept:
        if reminder.state in LEFT and reminder.due_at is not None:
            said = _says(reminder.kind, reminder.topics, reminder.template, reminder.due_at, scene)
            left.setdefault(said, set()).add(reminder.session_id)
    groups: dict[object, list[_Draft]] = {}
    for draft in drafts:
        if draft.state is State.SCHEDULED and draft.due_at is not None:
            milestone = draft.milestone
            said = _says(milestone.kind, milestone.topics, milestone.template, draft.due_at, scene)
            groups.setdefault(said, []).append(draft)
    groups.pop(None, None)
    for said, group in groups.items():
        latest = max(group, key=lambda draft: rank[draft.session.id]).session.id
        staying = left.get(said, {latest})
        for draft in group:
            if draft.session.id not in staying:
                draft.skip(Reason.DUPLICATE, Step(Rule.DUPLICATE, draft.due_at, tuple(staying)))


def _says(
    kind: Kind, topics: frozenset[str], template: str, due_at: datetime, scene: _Scene
) -> tuple[Kind, object, date] | None:
    """What two reminders have in common when one of them would repeat the other."""
    if kind is Kind.ROUTINE:
        return (kind, topics, local_date(scene.zone, due_at))
    if kind is Kind.INFORM:
        return (kind, template, local_date(scene.zone, due_at))
    return None


# What comes out --------------------------------------------------------------------------------


def _finished(draft: _Draft, scene: _Scene) -> Reminder:
    """The draft as a row; what sending knows about it (attempts, the next look) is kept."""
    before, milestone = draft.before, draft.milestone
    waits = draft.state is State.SCHEDULED
    untouched = before is not None and before.state is State.SCHEDULED
    keeps_pause = waits and untouched and before is not None and before.due_at == draft.due_at
    wake_at = before.wake_at if keeps_pause and before is not None else draft.due_at
    return Reminder(
        id=before.id if before else None,
        patient_id=scene.chart.patient.id,
        session_id=draft.session.id,
        protocol=draft.protocol.key,
        revision=draft.protocol.revision,
        milestone=milestone.id,
        occurrence=draft.occurrence,
        kind=milestone.kind,
        topics=milestone.topics,
        template=milestone.template,
        nominal_at=draft.nominal_at,
        expires_at=draft.expires_at,
        state=draft.state,
        first_planned_at=draft.first_planned_at,
        channel=draft.channel if draft.state is not State.SKIPPED else None,
        due_at=draft.due_at,
        wake_at=wake_at if waits else None,
        reason=draft.reason,
        attempts=before.attempts if before else 0,
    )


def _with_staff_flags(planned: list[Planned], scene: _Scene) -> list[Planned]:
    """Flag every superseded release after which nobody says that the topic is free again."""
    releases = [each.reminder for each in planned if each.reminder.kind is Kind.RELEASE]
    if not any(reminder.reason is Reason.SUPERSEDED for reminder in releases):
        return planned
    return [
        each._replace(reminder=replace(each.reminder, needs_staff=flag))
        if (flag := _all_clear_never_comes(each.reminder, releases, scene))
        != each.reminder.needs_staff
        else each
        for each in planned
    ]


def _all_clear_never_comes(reminder: Reminder, releases: Iterable[Reminder], scene: _Scene) -> bool:
    if reminder.reason is not Reason.SUPERSEDED or reminder.due_at is None:
        return False
    is_over = reminder.expires_at <= scene.now
    ban = (
        _ban_on(scene.bans, reminder.topics, reminder.due_at)
        if is_over
        else _ban_on(scene.bans, reminder.topics, max(reminder.due_at, scene.now))
    )
    if ban is None:
        return reminder.needs_staff
    return not any(
        reminder.topics == other.topics
        and other.state in WAITING | LEFT
        and (other.sent_at or other.due_at or ban.start) >= ban.end
        for other in releases
    )


# At the instant of sending (contract, section 5) ------------------------------------------------


def still_true(chart: Chart, reminder: Reminder, now: datetime) -> bool:
    """Whether a due reminder may leave on its channel, by everything but quiet hours and expiry.

    Where it may not, the patient is planned afresh and the new plan says why.
    """
    session = next((each for each in chart.sessions if each.id == reminder.session_id), None)
    channel = reminder.channel
    if session is None or not session.stands or channel is None or chart.patient.paused:
        return False
    if not chart.patient.consents(channel) or not chart.patient.address(channel):
        return False
    if channel in chart.clinic.leaving and session.id not in chart.approved:
        return False
    return (
        reminder.kind not in _REASON_WHERE_FORBIDDEN
        or _ban_on(bans(chart), reminder.topics, now) is None
    )


def put_off_until(chart: Chart, reminder: Reminder, now: datetime) -> datetime | None:
    """The end of quiet hours where the reminder must not leave at `now`; None where it may.

    A reminder whose policy is `drop` gets its own expiry: it is not sent any more.
    """
    protocol = chart.protocols.get(reminder.session_id)
    milestone = protocol.milestone(reminder.milestone) if protocol else None
    policy = milestone.quiet if milestone else QuietPolicy.DEFER
    quiet = chart.clinic.quiet_hours
    if policy is QuietPolicy.IGNORE or quiet_period(chart.timezone, quiet, now) is None:
        return None
    if policy is QuietPolicy.DROP:
        return reminder.expires_at
    return end_of_quiet(chart.timezone, quiet, now)
