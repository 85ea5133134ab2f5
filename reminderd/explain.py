"""Why a reminder comes when it comes, or does not come, in words for a nurse. Pure.

`sentences` tells the planner's steps one by one; what is history is told from its row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reminderd.corrections import Cause, Untrue
from reminderd.hours import quiet_period, zone
from reminderd.ids import public_id
from reminderd.model import (
    Adjustment,
    Chart,
    CourseLead,
    Elapsed,
    OnDays,
    Reason,
    Reminder,
    Session,
    State,
    Timing,
)
from reminderd.steps import Planned, Rule, Step
from reminderd.timing import Ban

RULES: Mapping[Rule, str] = {
    Rule.NOMINAL: "{detail} → {at}",
    Rule.LONGER_HOLD: "staff changed how long {detail} holds: moved to {at}",
    Rule.AT_TREATMENT: "aftercare never comes before the treatment: moved to {at}",
    Rule.TAGS: "skipped: only for sessions tagged {detail}, and this one is not",
    Rule.TURNED_OFF: "skipped: turned off for this session by {detail}",
    Rule.NO_TIME_LEFT: "skipped: too late from {at} on, as decided for this session by {detail}",
    Rule.ASLEEP: "skipped: quiet hours {quiet} leave it no time, as decided by {detail}",
    Rule.DEFERRED: "{nominal} is within quiet hours {quiet}: deferred to {then}",
    Rule.ADVANCED: "{nominal} is within quiet hours {quiet}: brought forward to {then}",
    Rule.IGNORED: "{nominal} is within quiet hours {quiet}, which this reminder ignores",
    Rule.DROPPED: "skipped: {nominal} is within quiet hours {quiet}, when it is never sent",
    Rule.TOO_LATE: "skipped: {at} is too late",
    Rule.PAST: "skipped: it was first planned {at}, when it was already too late",
    Rule.FORBIDDEN: "skipped: {detail}",
    Rule.CHANNEL: "by {detail}, the first channel with an address and consent",
    Rule.NO_CHANNEL: "skipped: {detail}",
    Rule.BOOKED: "skipped: the course goes on with {detail}",
    Rule.COURSE_COMPLETE: "skipped: the course is complete with {detail} sessions",
    Rule.HELD: "held: {detail}",
    Rule.WITHHELD: "held: a red flag came, and {detail} is open until a person decides:"
    " reminderd incident close {detail}",
    Rule.DUPLICATE: "skipped: {detail} says the same on {day}",
    Rule.UNTRUE: "no longer true: {detail}",
}

REASONS: Mapping[Reason, str] = {
    Reason.PAST: "it was already too late when it was first planned",
    Reason.QUIET_HOURS: "quiet hours left it no time",
    Reason.SUPERSEDED: "a session forbids again what it would allow",
    Reason.CONFLICT: "a session forbids what it asks for",
    Reason.DUPLICATE: "another session says the same on that day",
    Reason.BOOKED: "the next session of the course is booked",
    Reason.NOT_APPLICABLE: "it does not apply to this session",
    Reason.OVERRIDE: "staff decided so for this session",
    Reason.NO_ADDRESS: "no channel that it may use has a usable address",
    Reason.NO_CONSENT: "the patient has not agreed to a channel that it may use",
    Reason.UNAPPROVED: "the protocol is not approved",
    Reason.PAUSED: "the patient's reminders are paused",
    Reason.UNCONFIRMED: "the session is not marked as done",
    Reason.SESSION_CANCELLED: "the session was called off",
    Reason.OPTED_OUT: "the patient does not want to hear from us on that channel",
    Reason.BY_STAFF: "staff called it off",
    Reason.ERASED: "the patient's data was erased",
    Reason.CHANGED: "the protocol no longer has it",
    Reason.LATE: "it could not be sent in time",
    Reason.REJECTED: "the provider did not accept it",
    Reason.TEMPLATE: "its text could not be put together",
}

_DECIDED = frozenset({State.SCHEDULED, State.HELD, State.SKIPPED})  # by the planner, in its steps


def sentences(planned: Planned, chart: Chart) -> list[str]:
    """What decided about the reminder, in the order of planning, and what became of it.

    Instants are on the clocks of the patient's zone.
    """
    teller = _Teller(planned.reminder, chart)
    timing = [each for each in planned.steps if not _is_decision(each)]
    decisions = [each for each in planned.steps if _is_decision(each)]
    if planned.reminder.state in _DECIDED and decisions:
        until = f"worth sending until {teller.when(planned.reminder.expires_at)}"
        told = [*map(teller.tell, timing), until, *map(teller.tell, decisions)]
    else:
        untrue = [teller.tell(each) for each in decisions if each.rule is Rule.UNTRUE]
        told = [*teller.stored_instants(timing), teller.outcome(), *untrue]
    return [*told, *teller.what_next()]


def untrue_in_words(false: Untrue, chart: Chart) -> str:
    """What has happened since a text left that is no longer true."""
    return _Teller(false.reminder, chart).untrue(false)


def _is_decision(step: Step) -> bool:
    """Whether the step lies beyond the nominal instant, where history ends."""
    return step.rule not in (Rule.NOMINAL, Rule.LONGER_HOLD, Rule.AT_TREATMENT)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells about one reminder, with the words for instants and sessions of its patient."""

    reminder: Reminder
    chart: Chart

    def tell(self, step: Step) -> str:
        """The sentence for one step of the planner."""
        at, nominal_at = step.at or self.reminder.nominal_at, self.reminder.nominal_at
        same_day = self.day(at) == self.day(nominal_at)
        return RULES[step.rule].format(
            at=self.when(at),
            then=self.clock(at) if same_day else self.when(at),
            day=self.day(at),
            nominal=self.clock(nominal_at),
            quiet=self.chart.clinic.quiet_hours,
            detail=self.detail(step.detail, at),
        )

    def stored_instants(self, timing: Sequence[Step]) -> list[str]:
        """What led to the instant: the steps where they still do, else what the row has kept."""
        row = self.reminder
        if timing and timing[-1].at == row.nominal_at:
            told = [self.tell(step) for step in timing]
        else:
            told = [f"meant for {self.when(row.nominal_at)}"]
        if row.due_at is None or row.due_at == row.nominal_at:
            return told
        rule = Rule.DEFERRED if row.due_at > row.nominal_at else Rule.ADVANCED
        quiet = quiet_period(self.chart.timezone, self.chart.clinic.quiet_hours, row.nominal_at)
        moved = self.tell(Step(rule, row.due_at)) if quiet else f"due {self.when(row.due_at)}"
        return [*told, moved]

    def outcome(self) -> str:
        """What has become of it, and for which reason."""
        row = self.reminder
        channel = f" by {row.channel}" if row.channel else ""
        if row.state is State.SENT and row.sent_at is not None:
            return f"sent {self.when(row.sent_at)}{channel}"
        if row.state is State.UNKNOWN:
            return f"left{channel}, and whether it was accepted is not known"
        return f"{row.state}: {REASONS[row.reason]}" if row.reason else f"{row.state}{channel}"

    def what_next(self) -> list[str]:
        """What is still to come, or has to be done by a person."""
        row, told = self.reminder, []
        if row.state is State.SCHEDULED and row.due_at is not None:
            told.append(f"due {self.when(row.due_at)}")
            if row.wake_at is not None and row.wake_at > row.due_at:
                told.append(f"put off until {self.when(row.wake_at)}")
        if row.reason is Reason.SUPERSEDED and row.needs_staff:
            told.append("no later all-clear is planned: a person has to tell the patient")
        return told

    # Words -------------------------------------------------------------------------------------

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(zone(self.chart.timezone))

    def clock(self, instant: datetime) -> str:
        """`14:30`."""
        return f"{self.local(instant):%H:%M}"

    def day(self, instant: datetime) -> str:
        """`Sat 28 Mar`."""
        local = self.local(instant)
        return f"{local:%a} {local.day} {local:%b}"

    def when(self, instant: datetime) -> str:
        """`Sat 28 Mar 14:30`."""
        return f"{self.day(instant)} {self.clock(instant)}"

    def session(self, session_id: int | None) -> str:
        """`session ses-12 (Mon 30 Mar 10:00)`."""
        at = next((each.at for each in self.chart.sessions if each.id == session_id), None)
        name = " ".join(filter(None, ("session", public_id("ses", session_id))))
        return name if at is None else f"{name} ({self.when(at)})"

    def detail(self, detail: object, at: datetime) -> str:
        """The other party of a step."""
        match detail:
            case Elapsed() | OnDays() | CourseLead():
                return self.timing(detail, at)
            case Ban():
                return self.ban(detail)
            case Session():
                return self.session(detail.id)
            case Untrue():
                return self.untrue(detail)
            case Adjustment():
                return f"{detail.by}: {detail.why}"
            case Reason():
                return REASONS[detail]
            case frozenset():
                return " or ".join(sorted(detail))
            case tuple():
                return " and ".join(map(self.session, detail))
        return str(detail)

    def ban(self, ban: Ban) -> str:
        topics = " and ".join(sorted(ban.topics & self.reminder.topics))
        session, until = self.session(ban.session_id), self.when(ban.end)
        return f"{session} forbids {topics} until {until} (milestone {ban.milestone})"

    def untrue(self, false: Untrue) -> str:
        """What has happened since it left."""
        if false.cause is Cause.FORBIDDEN_AGAIN and false.ban is not None:
            return self.ban(false.ban)
        was, now = self.when(false.was), false.now and self.when(false.now)
        if false.cause is Cause.CALLED_OFF:
            return f"the session of {was} was called off"
        if false.cause is Cause.MOVED:
            return f"the session was moved from {was} to {now}"
        if false.cause is Cause.ZONE:
            return f"told by the clocks of another zone: it spoke of {was}, and that is {now} here"
        return f"it spoke of {was}, and that is {now} now" if now else f"it no longer holds ({was})"

    def timing(self, timing: Timing, at: datetime) -> str:
        """`12 h after the session of Sat 28 Mar 14:30`."""
        session = next(each for each in self.chart.sessions if each.id == self.reminder.session_id)
        of_session = f"the session of {self.when(session.at)}"
        if isinstance(timing, Elapsed):
            changed = self.local(session.at).utcoffset() != self.local(at).utcoffset()
            remark = ", across a clock change" if changed else ""
            return f"{_elapsed(timing.offset)} {of_session}{remark}"
        adjustment = session.adjustments.get(self.reminder.milestone)
        staff = adjustment if adjustment and adjustment.at else None
        hour = f"{(staff and staff.at) or timing.at:%H:%M}"
        if staff:
            hour += f" (decided by {self.detail(staff, at)})"
        if isinstance(timing, CourseLead):
            lead = _days(timing.days, "on the day")
            return f"{lead} the next session is due, by {of_session}, at {hour}"
        day = _days(timing.first + self.reminder.occurrence - 1, "on the day of")
        return f"{day} {of_session}, at {hour}"


def _elapsed(offset: timedelta) -> str:
    """`12 h after`, `90 min before`, `at`."""
    minutes = abs(offset) // timedelta(minutes=1)
    if not minutes:
        return "at"
    length = f"{minutes} min" if minutes % 60 else f"{minutes // 60} h"
    return f"{length} {'after' if offset > timedelta(0) else 'before'}"


def _days(days: int, same_day: str) -> str:
    """`2 days after`, `1 day before`."""
    if not days:
        return same_day
    unit = "day" if abs(days) == 1 else "days"
    return f"{abs(days)} {unit} {'after' if days > 0 else 'before'}"
