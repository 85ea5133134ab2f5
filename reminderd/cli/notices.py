"""What staff must know after an entry: what waits and for whom, and what will never go out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from reminderd.cli.output import note
from reminderd.ids import public_id
from reminderd.model import (
    Channel,
    Chart,
    Patient,
    Reason,
    Reminder,
    Session,
    SessionState,
    State,
)
from reminderd.wording import noted

if TYPE_CHECKING:
    from rich.console import Console

    from reminderd.bootstrap import House


def draw(
    chart: Chart,
    now: datetime,
    console: "Console | None" = None,
    replies: Iterable[tuple[datetime, str]] = (),
) -> None:
    """The patient's plan as a picture on stdout, with what the patient wrote."""
    from rich.console import Console

    from reminderd.cli import timeline

    timeline.draw(
        console or Console(highlight=False), chart.reminders, chart.timezone,
        chart.clinic.quiet_hours, now, chart.sessions, replies,
    )  # fmt: skip


def tell(
    chart: Chart, reminders: Iterable[Reminder], now: datetime, session: Session | None = None
) -> None:
    """Warn on stderr of what these reminders of the patient wait for or why they are left out."""
    for line in lines(chart, reminders, now, session):
        note(line)


def caution(patient: Patient, session: Session | None = None) -> None:
    """Warn on stderr where something noted about the patient calls for caution (source S2)."""
    if not patient.screening:
        return
    is_done = session is not None and session.state is SessionState.DONE
    advice = "the practitioner should know" if is_done else "ask the practitioner before treating"
    name = public_id("pat", patient.id)
    note(f"Noted about {name}: {noted(patient)}. Source S2 calls for caution: {advice}.")


def twice(house: "House", patient: Patient, session: Session) -> None:
    """Warn on stderr where the very same person has the very same session already."""
    for other in house.outbox.patients_at(session.protocol, session.at):
        if other.id != patient.id and _is_same(other, patient):
            known, own = public_id("pat", other.id), public_id("ses", session.id)
            note(
                f"{known} has the same name, address and session. Entered twice? Then everything"
                f" goes out twice, unless you call one off: reminderd session cancel {own}"
            )
            return


def _is_same(one: Patient, other: Patient) -> bool:
    names = {f"{each.given_name} {each.family_name}".casefold() for each in (one, other)}
    same_phone = one.phone is not None and one.phone == other.phone
    return len(names) == 1 and (same_phone or (one.email is not None and one.email == other.email))


def lines(
    chart: Chart, reminders: Iterable[Reminder], now: datetime, session: Session | None
) -> Iterator[str]:
    """Each thing that somebody has to know or do, with the command that does it."""
    reminders = list(reminders)
    counts = Counter(each.reason for each in reminders)
    yield from unapproved(
        each.protocol for each in reminders if each.reason is Reason.UNAPPROVED and _waits(each)
    )
    name = public_id("pat", chart.patient.id)
    if counts[Reason.NO_CONSENT]:
        channels = _without_consent(chart)
        yield (
            f"No consent for {' or '.join(channels)}: {_many(counts[Reason.NO_CONSENT])} will not"
            f" go out. Once there is: reminderd patient consent {name} --channels"
            f" {','.join(channels)} --grant --source TEXT"
        )
    if counts[Reason.NO_ADDRESS]:
        yield _without_address(chart, counts[Reason.NO_ADDRESS])
    for incident in sorted({each.withheld_by for each in chart.sessions if each.withheld_by}):
        yield _withheld(public_id("inc", incident) or "")
    if counts[Reason.PAUSED] and chart.patient.paused:
        yield f"The patient is paused. To go on: reminderd patient resume {name}"
    if session is not None:
        own = [each for each in reminders if each.session_id == session.id]
        yield from _about_session(session, own, now)


def _withheld(incident: str) -> str:
    return (
        f"A red flag is open, {incident}: nothing that reassures goes out. Once it is seen to:"
        f" reminderd incident close {incident} --why TEXT --texts resume|stop"
    )


def unapproved(protocols: Iterable[str]) -> Iterator[str]:
    """A line for each protocol that keeps reminders waiting; one mention for each reminder."""
    for key, count in Counter(protocols).items():
        yield (
            f'The protocol "{key}" is not approved: {_many(count)} wait. A doctor approves it'
            f" with: reminderd protocol approve {key} --by NAME"
        )


def _about_session(session: Session, own: Sequence[Reminder], now: datetime) -> Iterator[str]:
    too_late = sum(each.reason is Reason.PAST for each in own)
    goes_out = any(each.state is State.SCHEDULED and (each.due_at or now) <= now for each in own)
    if session.at < now and too_late:
        rest = "; what is still valid goes out now, in one message." if goes_out else "."
        yield f"The session is in the past: {_many(too_late)} left out as too late{rest}"
    elif session.at < now and goes_out:
        yield "The session is in the past: what was due by now goes out now, in one message."
    if any(each.reason is Reason.UNCONFIRMED and _waits(each) for each in own):
        yield (
            "What follows the treatment waits until it took place: reminderd session done"
            f" {public_id('ses', session.id)}"
        )


def _without_address(chart: Chart, count: int) -> str:
    patient = chart.patient
    edit = f"reminderd patient edit {public_id('pat', patient.id)}"
    options = {Channel.SMS: "--phone …", Channel.EMAIL: "--email …"}
    add = " ".join(options[each] for each in patient.channels if not patient.address(each))
    others = [each for each in Channel if each not in patient.channels and patient.address(each)]
    instead = f", or send by {others[0]}: {edit} --channels {others[0]}" if others else ""
    return (
        f"No address for {' or '.join(patient.channels)}: {_many(count)} will not go out."
        f" Add one: {edit} {add}{instead}"
    )


def _without_consent(chart: Chart) -> list[Channel]:
    patient = chart.patient
    return [
        each for each in patient.channels if patient.address(each) and not patient.consents(each)
    ]


def _waits(reminder: Reminder) -> bool:
    return reminder.state is State.HELD


def _many(count: int) -> str:
    return "1 reminder" if count == 1 else f"{count} reminders"
