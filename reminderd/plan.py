"""All of a patient's reminders, each with its state and the reason (contract, section 4). Pure.

Read `plan` first: it walks over treatments and milestones, and for each reminder over the rules
of `rules.py`; the first of them that finds a reason ends the walk.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

from reminderd.corrections import Untrue, untrue
from reminderd.hours import end_of_quiet, local_date, quiet_period
from reminderd.model import Chart, Kind, QuietPolicy, Reason, Reminder, ReminderKey, State
from reminderd.rules import REASON_WHERE_FORBIDDEN, Draft, Scene, apply_rules, is_withheld
from reminderd.steps import Planned, Rule, Step
from reminderd.timing import ban_on, bans, expiry, is_forbidden, nominal, treatments

WAITING = frozenset({State.SCHEDULED, State.HELD})
LEFT = frozenset({State.SENT, State.SENDING, State.UNKNOWN})
HISTORY = LEFT | {State.FAILED}


def plan(chart: Chart, now: datetime) -> list[Planned]:
    """Every reminder of the patient as it is to be at `now`, sorted as `reminder list` is.

    The reminders in `chart` are those planned before; an unchanged chart gives them back unchanged.
    """
    return sorted(_planned(chart, now), key=lambda each: sort_key(each.reminder))


def _planned(chart: Chart, now: datetime) -> list[Planned]:
    standing = treatments(chart)
    scene = Scene(chart, chart.timezone, now, standing, bans(standing))
    known = {reminder.key: reminder for reminder in chart.reminders}
    kept: list[Planned] = []
    drafts: list[Draft] = []
    for draft in _drafts(scene, known):
        if _is_history(draft, now):
            kept.append(Planned(_aged(draft), tuple(draft.steps)))
        else:
            apply_rules(draft, scene)
            drafts.append(draft)
    kept += [Planned(_withdrawn(reminder, scene), ()) for reminder in known.values()]
    _skip_duplicates(drafts, [each.reminder for each in kept], scene)
    planned = kept + [Planned(_finished(draft, scene), tuple(draft.steps)) for draft in drafts]
    return _with_staff_flags(planned, scene)


def changes(chart: Chart, now: datetime) -> list[Reminder]:
    """The diff: those reminders of a new plan that are new or differ from what was planned."""
    planned = [each.reminder for each in _planned(chart, now)]
    if not chart.reminders:
        return planned
    before = {reminder.key: reminder for reminder in chart.reminders}
    return [each for each in planned if before.get(each.key) != each]


def no_longer_true(chart: Chart, now: datetime) -> list[Untrue]:
    """What has left and is false at `now`, in the order of the plan."""
    steps = (step for planned in plan(chart, now) for step in planned.steps)
    return [step.detail for step in steps if step.rule is Rule.UNTRUE]


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


def _is_history(draft: Draft, now: datetime) -> bool:
    before = draft.before
    return before is not None and (
        before.state in HISTORY or _stays_cancelled(before) or draft.expires_at <= now
    )


def _stays_cancelled(reminder: Reminder) -> bool:
    """What staff called off stays off through every new plan, until staff ask for it again."""
    final = (Reason.BY_STAFF, Reason.ERASED)
    return reminder.state is State.CANCELLED and reminder.reason in final


def _aged(draft: Draft) -> Reminder:
    """What was waiting past its expiry is `expired`; everything else stays as it was."""
    assert draft.before is not None
    if draft.before.state not in WAITING:
        return draft.before
    return expired(draft.before._replace(nominal_at=draft.nominal_at, expires_at=draft.expires_at))


def expired(reminder: Reminder) -> Reminder:
    """The waiting reminder as it is once its expiry has come."""
    late = reminder.state is State.SCHEDULED
    reason = Reason.LATE if late else reminder.reason
    return reminder._replace(state=State.EXPIRED, reason=reason, wake_at=None)


def _withdrawn(reminder: Reminder, scene: Scene) -> Reminder:
    """A reminder whose session was called off, or whose milestone is no longer in the protocol."""
    if reminder.state not in WAITING:
        return reminder
    if reminder.expires_at <= scene.now:
        return expired(reminder)
    stands = any(each.session.id == reminder.session_id for each in scene.treatments)
    reason = Reason.CHANGED if stands else Reason.SESSION_CANCELLED
    return reminder._replace(state=State.CANCELLED, reason=reason, wake_at=None)


# Step 1: nominal instant and expiry -----------------------------------------------------------


def _drafts(scene: Scene, known: dict[ReminderKey, Reminder]) -> Iterator[Draft]:
    """A draft for each occurrence of each milestone; takes its row out of `known`."""
    for treatment in scene.treatments:
        for milestone in treatment.protocol.milestones:
            for occurrence in range(1, milestone.occurrences + 1):
                before = known.pop((treatment.session.id, milestone.id, occurrence), None)
                first_planned_at = before.first_planned_at if before else scene.now
                nominal_at, steps = nominal(treatment, milestone, occurrence)
                expires_at = expiry(treatment, milestone, nominal_at)
                yield Draft(
                    treatment, milestone, occurrence, before, first_planned_at,
                    nominal_at, expires_at, steps,
                )  # fmt: skip


# Step 9: duplicates between sessions -----------------------------------------------------------


def _skip_duplicates(drafts: Sequence[Draft], kept: Iterable[Reminder], scene: Scene) -> None:
    """Of what says the same on the same local date, one session's stays (routine, inform)."""
    if len(scene.chart.sessions) < 2:
        return
    left: dict[object, set[int | None]] = {}
    for row in kept:
        if row.state in LEFT and row.due_at is not None:
            said = _says(row.kind, row.topics, row.template, row.due_at, scene)
            left.setdefault(said, set()).add(row.session_id)
    groups: dict[object, list[Draft]] = {}
    for draft in drafts:
        if draft.state is State.SCHEDULED and draft.due_at is not None:
            rule = draft.milestone
            said = _says(rule.kind, rule.topics, rule.template, draft.due_at, scene)
            groups.setdefault(said, []).append(draft)
    groups.pop(None, None)
    for group_said, group in groups.items():
        # Drafts come in the order of their sessions, so the last one is of the latest session.
        staying = left.get(group_said, {group[-1].treatment.session.id})
        sessions = tuple(sorted(staying, key=lambda each: each or 0))
        for draft in group:
            if draft.treatment.session.id not in staying:
                draft.skip(Reason.DUPLICATE, Step(Rule.DUPLICATE, draft.due_at, sessions))


def _says(
    kind: Kind, topics: frozenset[str], template: str, due_at: datetime, scene: Scene
) -> tuple[Kind, object, date] | None:
    """What two reminders have in common when one of them would repeat the other."""
    if kind is Kind.ROUTINE:
        return (kind, topics, local_date(scene.zone, due_at))
    if kind is Kind.INFORM:
        return (kind, template, local_date(scene.zone, due_at))
    return None


# What comes out --------------------------------------------------------------------------------


def _finished(draft: Draft, scene: Scene) -> Reminder:
    """The draft as a row; what sending knows about it (attempts, the next look) is kept."""
    before, milestone = draft.before, draft.milestone
    session, protocol = draft.treatment.session, draft.treatment.protocol
    # By position, in the order of the model: names would take as long again, thirty times over.
    return Reminder(
        session.id,
        protocol.key,
        protocol.revision,
        milestone.id,
        draft.occurrence,
        milestone.kind,
        milestone.topics,
        milestone.template,
        draft.nominal_at,
        draft.expires_at,
        draft.state,
        draft.first_planned_at,
        before.id if before else None,
        scene.chart.patient.id,
        draft.channel if draft.state is not State.SKIPPED else None,
        draft.due_at,
        _wake_at(draft) if draft.state is State.SCHEDULED else None,
        draft.reason,
        before.attempts if before else 0,
    )


def _wake_at(draft: Draft) -> datetime | None:
    """The due instant, unless the night or a retry has put this very reminder off."""
    before = draft.before
    if before and before.state is State.SCHEDULED and before.due_at == draft.due_at:
        return before.wake_at
    return draft.due_at


def _with_staff_flags(planned: list[Planned], scene: Scene) -> list[Planned]:
    """Flag what only a person can settle: all-clears that never come, words that are false now."""
    releases = [each.reminder for each in planned if each.reminder.kind is Kind.RELEASE]
    return [
        each._replace(reminder=_flagged(each.reminder, releases, scene))
        if each.reminder.reason is Reason.SUPERSEDED
        else each
        for each in _with_untrue(planned, scene)
    ]


def _with_untrue(planned: list[Planned], scene: Scene) -> list[Planned]:
    """What has left, flagged exactly where its words are false by now."""
    reminders = [each.reminder for each in planned]
    found = {
        each.reminder.key: each for each in untrue(scene.chart, reminders, scene.bans, scene.now)
    }
    return [
        _marked(each, found.get(each.reminder.key)) if each.reminder.state in LEFT else each
        for each in planned
    ]


def _marked(planned: Planned, false: Untrue | None) -> Planned:
    if false is None:
        return planned._replace(reminder=planned.reminder._replace(needs_staff=False))
    step = Step(Rule.UNTRUE, false.now or false.was, false)
    return Planned(planned.reminder._replace(needs_staff=True), (*planned.steps, step))


def _flagged(reminder: Reminder, releases: Iterable[Reminder], scene: Scene) -> Reminder:
    if all(each.session.id != reminder.session_id for each in scene.treatments):
        return reminder._replace(needs_staff=False)  # what was called off has nothing to allow
    free_at = _free_at(reminder, scene)
    all_clear_comes = any(
        other.topics == reminder.topics
        and other.state in WAITING | LEFT
        and (other.sent_at or other.due_at or other.nominal_at) >= free_at
        for other in releases
    )
    return reminder._replace(needs_staff=not all_clear_comes)


def _free_at(reminder: Reminder, scene: Scene) -> datetime:
    """The end of what superseded the release; its own instant where that is called off by now."""
    due_at = reminder.due_at or reminder.nominal_at
    at = due_at if reminder.expires_at <= scene.now else max(due_at, scene.now)
    ban = ban_on(scene.bans, reminder.topics, at)
    return ban.end if ban else due_at


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
    if is_withheld(session, reminder.kind):
        return False
    return reminder.kind not in REASON_WHERE_FORBIDDEN or not is_forbidden(
        chart, reminder.topics, now
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
