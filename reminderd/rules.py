"""What can become of one reminder: steps 2 to 8 of planning (contract, section 4). Pure.

`RULES` has them in order; each looks at one draft and may move it, skip it or hold it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from reminderd.consents import OPT_OUTS
from reminderd.hours import add, end_of_quiet, quiet_period
from reminderd.ids import public_id
from reminderd.model import (
    Adjustment,
    Channel,
    Chart,
    Kind,
    Milestone,
    Patient,
    QuietPolicy,
    Reason,
    Reminder,
    Session,
    SessionState,
    State,
)
from reminderd.steps import Rule, Step
from reminderd.timing import Ban, Treatment, applies, ban_on, holds, next_in_course

ONE_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Scene:
    """What every rule may look at; `treatments` are in the order of time.

    `channels` remembers the choice among the channels that milestones allow.
    """

    chart: Chart
    zone: str
    now: datetime
    treatments: Sequence[Treatment]
    bans: tuple[Ban, ...]
    channels: dict[tuple[Channel, ...] | None, Step] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """A reminder while it is being planned; `before` is the row that it replaces, if any."""

    treatment: Treatment
    milestone: Milestone
    occurrence: int
    before: Reminder | None
    first_planned_at: datetime
    nominal_at: datetime
    expires_at: datetime
    steps: list[Step]
    state: State = State.SCHEDULED
    reason: Reason | None = None
    due_at: datetime | None = None
    channel: Channel | None = None

    def skip(self, reason: Reason, step: Step) -> None:
        """Give it up for that reason, as that step found."""
        self.state, self.reason = State.SKIPPED, reason
        self.steps.append(step)

    def hold(self, reason: Reason, step: Step | None = None) -> None:
        """Keep it until a person has done something about that reason."""
        self.state, self.reason = State.HELD, reason
        self.steps.append(step or Step(Rule.HELD, None, reason))


def apply_rules(draft: Draft, scene: Scene) -> None:
    """Walk over `RULES` until one of them finds a reason."""
    for rule in RULES:
        rule(draft, scene)
        if draft.reason is not None:
            return


def _not_applicable(draft: Draft, scene: Scene) -> None:
    session, milestone = draft.treatment.session, draft.milestone
    if not applies(session, milestone):
        draft.skip(Reason.NOT_APPLICABLE, Step(Rule.TAGS, None, milestone.only_for))
        return
    adjustment = session.adjustments.get(milestone.id)
    if adjustment is None:
        return
    if adjustment.off:
        draft.skip(Reason.OVERRIDE, Step(Rule.TURNED_OFF, None, adjustment))
    elif draft.nominal_at >= draft.expires_at:
        draft.skip(Reason.OVERRIDE, Step(Rule.NO_TIME_LEFT, draft.expires_at, adjustment))


def _quiet_hours(draft: Draft, scene: Scene) -> None:
    due = _out_of_quiet_hours(draft, scene)
    if due is not None and due < draft.expires_at:
        draft.due_at = due
        return
    decision = _decision_on_timing(draft)
    if decision is not None:
        draft.skip(Reason.OVERRIDE, Step(Rule.ASLEEP, draft.nominal_at, decision))
    elif due is None:
        draft.skip(Reason.QUIET_HOURS, Step(Rule.DROPPED, draft.nominal_at))
    else:
        draft.skip(Reason.QUIET_HOURS, Step(Rule.TOO_LATE, due))


def _decision_on_timing(draft: Draft) -> Adjustment | None:
    """What staff decided for this session that moved the reminder, or left it less time."""
    decided = draft.treatment.session.adjustments
    own = decided.get(draft.milestone.id)
    if own is not None and (own.at is not None or _shortened(draft)):
        return own
    moved = (decided[each.detail] for each in draft.steps if each.rule is Rule.LONGER_HOLD)
    return next(moved, None)


def _shortened(draft: Draft) -> bool:
    """Whether staff ended the restriction sooner than the protocol does."""
    session, milestone, zone = draft.treatment.session, draft.milestone, draft.treatment.zone
    return milestone.holds is not None and add(zone, session.at, holds(session, milestone)) < add(
        zone, session.at, milestone.holds
    )


def _out_of_quiet_hours(draft: Draft, scene: Scene) -> datetime | None:
    """Where the milestone's policy moves the nominal instant; None where it gives it up."""
    nominal_at, policy = draft.nominal_at, draft.milestone.quiet
    quiet = scene.chart.clinic.quiet_hours
    period = quiet_period(scene.zone, quiet, nominal_at)
    if period is None:
        return nominal_at
    if policy is QuietPolicy.IGNORE:
        draft.steps.append(Step(Rule.IGNORED, nominal_at))
        return nominal_at
    if policy is QuietPolicy.DROP:
        return None
    early = period[0] - ONE_MINUTE
    if policy is QuietPolicy.ADVANCE and _may_be_due_at(early, draft, scene):
        draft.steps.append(Step(Rule.ADVANCED, early))
        return early
    late = end_of_quiet(scene.zone, quiet, nominal_at)
    draft.steps.append(Step(Rule.DEFERRED, late))
    return late


def _may_be_due_at(early: datetime, draft: Draft, scene: Scene) -> bool:
    treated = draft.milestone.is_pre_care or early >= draft.treatment.session.at
    awake = quiet_period(scene.zone, scene.chart.clinic.quiet_hours, early) is None
    released = draft.milestone.kind is not Kind.RELEASE
    return treated and awake and released and early >= draft.first_planned_at


def _past(draft: Draft, scene: Scene) -> None:
    if draft.first_planned_at >= draft.expires_at:
        draft.skip(Reason.PAST, Step(Rule.PAST, draft.first_planned_at))


def _forbidden(draft: Draft, scene: Scene) -> None:
    assert draft.due_at is not None
    reason = REASON_WHERE_FORBIDDEN.get(draft.milestone.kind)
    if reason is not None:
        ban = ban_on(scene.bans, draft.milestone.topics, max(draft.due_at, scene.now))
        if ban is not None:
            draft.skip(reason, Step(Rule.FORBIDDEN, ban.end, ban))


REASON_WHERE_FORBIDDEN = {Kind.RELEASE: Reason.SUPERSEDED, Kind.ROUTINE: Reason.CONFLICT}


def _choose_channel(draft: Draft, scene: Scene) -> None:
    allowed = draft.milestone.channels
    step = scene.channels.get(allowed)
    if step is None:
        step = scene.channels[allowed] = _channel_for(scene.chart.patient, allowed)
    if step.rule is Rule.CHANNEL:
        draft.channel = step.detail
        draft.steps.append(step)
    else:
        draft.skip(step.detail, step)
        if _was_opted_out(draft, scene.chart.patient):
            draft.state, draft.reason = State.CANCELLED, Reason.OPTED_OUT


def _was_opted_out(draft: Draft, patient: Patient) -> bool:
    """Whether it waited to be sent on a channel until the patient closed that (section 9)."""
    before = draft.before
    if draft.reason is not Reason.NO_CONSENT or before is None:
        return False
    if before.reason is Reason.OPTED_OUT:
        return True
    said = patient.consent.get(before.channel) if before.channel else None
    waited = before.state in (State.SCHEDULED, State.HELD)
    return waited and said is not None and not said.granted and said.how in OPT_OUTS


def _channel_for(patient: Patient, allowed: tuple[Channel, ...] | None) -> Step:
    """The patient's first channel of those allowed with an address and consent, or why none."""
    listed = [each for each in patient.channels if allowed is None or each in allowed]
    reachable = [each for each in listed if patient.address(each)]
    for channel in reachable:
        if patient.consents(channel):
            return Step(Rule.CHANNEL, None, channel)
    reason = Reason.NO_CONSENT if reachable else Reason.NO_ADDRESS
    return Step(Rule.NO_CHANNEL, None, reason)


def _course(draft: Draft, scene: Scene) -> None:
    if draft.milestone.kind is not Kind.COURSE:
        return
    course = draft.treatment.protocol.course
    following = next_in_course(scene.chart.sessions, draft.treatment.session)
    if following is not None:
        draft.skip(Reason.BOOKED, Step(Rule.BOOKED, following.at, following))
    elif course is not None and course.is_complete_after(draft.treatment.place):
        draft.skip(Reason.NOT_APPLICABLE, Step(Rule.COURSE_COMPLETE, None, course.maximum))


def _holds(draft: Draft, scene: Scene) -> None:
    chart, session = scene.chart, draft.treatment.session
    if draft.channel in chart.clinic.leaving and session.id not in chart.approved:
        draft.hold(Reason.UNAPPROVED)
    elif is_withheld(session, draft.milestone.kind):
        incident = public_id("inc", session.withheld_by)
        draft.hold(Reason.PAUSED, Step(Rule.WITHHELD, None, incident))
    elif chart.patient.paused:
        draft.hold(Reason.PAUSED)
    elif _awaits_confirmation(draft, chart):
        draft.hold(Reason.UNCONFIRMED)


def is_withheld(session: Session, kind: Kind) -> bool:
    """Whether nothing of that kind is said of the session until a person has seen to a red flag.

    What forbids something still holds, and a check-in may bring the next red flag.
    """
    return session.withheld_by is not None and kind in REASSURING


REASSURING = frozenset({Kind.RELEASE, Kind.ROUTINE, Kind.INFORM, Kind.COURSE})


def _awaits_confirmation(draft: Draft, chart: Chart) -> bool:
    booked = draft.treatment.session.state is SessionState.BOOKED
    return booked and chart.clinic.confirms and not draft.milestone.is_pre_care


RULES: tuple[Callable[[Draft, Scene], None], ...] = (
    _not_applicable,
    _quiet_hours,
    _past,
    _forbidden,
    _choose_channel,
    _course,
    _holds,
)
