"""What waits for a person at the clinic, each with what to do about it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminderd import wording
from reminderd.audit import Action
from reminderd.consents import is_undecided
from reminderd.daily import LONGEST_DAY, left_today
from reminderd.holding import held
from reminderd.hours import zone
from reminderd.ids import internal_id, public_id
from reminderd.interfaces import ReminderFilter
from reminderd.letterbox import FAILED
from reminderd.model import Outcome, Reason, State
from reminderd.replies.reading import is_bad
from reminderd.resting import resting
from reminderd.silences import silences
from reminderd.staff import answers, red_flags, reminders, untrue
from reminderd.staff.reminders import Item
from reminderd.stopped_texts import stopped
from reminderd.words import NOT_DELIVERED

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.interfaces import StoredReply

LOOKED_UP_WITHIN = timedelta(days=7)


def waiting(house: "House", now: datetime) -> list[Item]:
    """Everything, most pressing first: `what`, `id`, `patient`, `why` and `do` of each.

    Where it is about reminders, `reminders` are their ids.
    """
    return [
        *red_flags.items(house),
        *_replies(house, at_once=True),
        *answers.items(house),
        *_disk(house),
        *_untold(house),
        *_holds(house),
        *_transports(house, now),
        *_silences(house, now),
        *_texts(house),
        *_objections(house),
        *_replies(house, at_once=False),
        *_corrections(house, now),
        *reminders.items(house, now),
        *_disputed(house, now),
        *_twice(house, now),
        *_put_off(house, now),
        *_protocols(house),
    ]


def _disk(house: "House") -> Iterator[Item]:
    """Nothing can be recorded, so nothing is sent."""
    folder = house.engine.full_disk()
    if folder is not None:
        yield {
            "what": "disk",
            "id": "disk-full",
            "patient": None,
            "why": "the disk is full: nothing can be recorded, so nothing is sent",
            "do": f"make room on the disk of {folder}",
        }


def _untold(house: "House") -> Iterator[Item]:
    """Alerts that nobody has taken yet."""
    for each in house.outbox.untold_alerts():
        if each.error:
            yield {
                "what": "alert",
                "id": f"alert-{each.id}",
                "patient": None,
                "why": f"{each.recipient} is not told, tries: {each.tries}: {each.error}",
                "do": "reminderd alerts test",
            }


def _holds(house: "House") -> Iterator[Item]:
    """Why nothing is sent at all."""
    for each in held(house.outbox):
        yield {
            "what": "hold",
            "id": each.cause,
            "patient": None,
            "why": f"nothing is sent: {each.why}",
            "do": each.do,
        }


def _transports(house: "House", now: datetime) -> Iterator[Item]:
    """Transports whose provider refuses who we are, or our sender."""
    for each in resting(house.outbox, house.practice.routes.values(), now):
        if each.needs_staff:
            yield {
                "what": "transport",
                "id": each.transport,
                "patient": None,
                "why": f"nothing leaves by it: {each.why}",
                "do": "mend it in reminderd.toml and restart; "
                f"reminderd transport test {each.transport}",
            }


def _silences(house: "House", now: datetime) -> Iterator[Item]:
    """Providers of whom nobody hears what patients write."""
    for each in silences(house.outbox, house.practice.routes.values(), now):
        since = each.since.astimezone(zone(next(iter(house.practice.clinics.values())).timezone))
        yield {
            "what": "silence",
            "id": each.transport,
            "patient": None,
            "why": f"what patients write is not heard since {since:%Y-%m-%d %H:%M}: {each.why}",
            "do": f"read their messages at the provider; reminderd transport test {each.transport}",
        }


def _texts(house: "House") -> Iterator[Item]:
    """Texts that a provider has refused."""
    for each in stopped(house.outbox, house.practice.texts):
        yield {
            "what": "text",
            "id": each.template,
            "patient": None,
            "why": f"waits, refused by {each.why}",
            "do": "mend the text and restart, or as it is: reminderd release",
        }


def _objections(house: "House") -> Iterator[Item]:
    """Patients who asked, in words of their own, not to be written to: everything is held."""
    for patient in house.outbox.objectors():
        if is_undecided(patient, house.outbox.statements(patient.id or 0)):
            name = public_id("pat", patient.id)
            yield {
                "what": "objection",
                "id": name,
                "patient": name,
                "why": "may wish no more messages: everything is held until somebody decides",
                "do": f"reminderd patient show {name}; then patient resume, or patient consent "
                "--withdraw",
            }


_READ_NOW = {
    "emergency": "a red flag, as in an emergency: act now",
    "urgent": "a red flag: act now",
    FAILED: "nothing could sort it: read it now",
}


def _replies(house: "House", *, at_once: bool) -> Iterator[Item]:
    """What people wrote and nobody has read, but for the red flags of open incidents."""
    told = {reply for each in house.outbox.incidents(open_only=True) for reply in each.replies}
    for each in reversed(house.outbox.replies(for_staff=True)):
        word = each.decision.word if each.decision else ""
        if each.id in told or (word in _READ_NOW) is not at_once:
            continue
        names = [public_id("pat", patient) for patient in each.patients]
        whom = ", ".join(filter(None, names)) or "an unknown number"
        yield {
            "what": "reply",
            "id": public_id("rep", each.id),
            "patient": names[0] if names else None,
            "why": f"reply from {whom}: {_READ_NOW.get(word) or _about(house, each)}",
            "do": f"reminderd inbox show {public_id('rep', each.id)}",
        }


def _about(house: "House", reply: "StoredReply") -> str:
    """Why somebody has to read a reply that is no red flag."""
    if reply.decision and reply.decision.word == "soft-stop":
        return "asks not to be written to"
    check = reply.question and house.outbox.reminder(reply.question)
    if check and reply.answer and is_bad(reply.answer):
        session = public_id("ses", check.session_id)
        return f"a bad answer to the check-in of {session}: {wording.answer(reply.answer)}"
    return "read it"


def _corrections(house: "House", now: datetime) -> Iterator[Item]:
    """Patients who were told what is no longer true."""
    flagged = ReminderFilter(needs_staff=True, states=frozenset({State.SENT, State.UNKNOWN}))
    patients = {each.patient_id for each in house.outbox.reminders(flagged) if each.needs_staff}
    for patient_id in sorted(each for each in patients if each is not None):
        chart, name = house.intake.chart(patient_id), public_id("pat", patient_id)
        for why in untrue.reasons(chart, now):
            yield {
                "what": "correction",
                "id": name,
                "patient": name,
                "why": why,
                "do": f"reminderd patient correct {name}",
            }


def _disputed(house: "House", now: datetime) -> Iterator[Item]:
    """Messages of which the provider speaks by another name than the one on record."""
    found = {
        each.attempt.message_id: each for each in house.outbox.disputed(now - LOOKED_UP_WITHIN)
    }
    for message_id, each in found.items():
        told, known = each.callback.provider_id, each.attempt.provider_id
        yield {
            "what": "message",
            "id": public_id("msg", message_id),
            "patient": public_id("pat", each.patient_id),
            "why": f"the provider calls it {told}, on record is {known}: it may have left twice",
            "do": "look both up at the provider",
            "reminders": [public_id("rem", row.id) for row in each.reminders],
        }


def _twice(house: "House", now: datetime) -> Iterator[Item]:
    """Messages that were sent again by a person's word, and of which the first was taken too."""
    trail = house.outbox.trail(since=now - LOOKED_UP_WITHIN)
    said = (each.entry for each in trail if each.entry.action == Action.REMINDER_RESOLVED)
    found: dict[tuple[int, int | None], list[str]] = {}
    for name, patient_id in {each.what: each.patient for each in said}.items():
        arrived = _arrived(house, internal_id("rem", name) or 0, patient_id or 0)
        if len(arrived) > 1:
            found.setdefault((arrived[-1], patient_id), []).append(name)
    for (message_id, patient_id), names in found.items():
        yield {
            "what": "message",
            "id": public_id("msg", message_id),
            "patient": public_id("pat", patient_id),
            "why": "sent again, and the first message was accepted too: it may arrive twice",
            "do": "tell the patient that both say the same",
            "reminders": names,
        }


def _arrived(house: "House", reminder_id: int, patient_id: int) -> list[int]:
    """The messages with that reminder that were accepted, without those that did not arrive."""
    told = house.outbox.told(patient_id)
    return [
        each.message_id
        for each in house.outbox.attempts(reminder_id)
        if each.outcome is Outcome.ACCEPTED
        if not any(said.receipt in NOT_DELIVERED for _, said in told.get(each.message_id, ()))
    ]


def _put_off(house: "House", now: datetime) -> Iterator[Item]:
    """Patients who have had as many messages today as may be, and for whom more is due."""
    overdue = ReminderFilter(states=frozenset({State.SCHEDULED}), due_until=now)
    due = Counter(each.patient_id or 0 for each in house.outbox.reminders(overdue))
    left = house.outbox.left_since(sorted(due), now - LONGEST_DAY)
    patients = [each for each in house.outbox.patients() if each.id in left] if left else []
    for patient in patients:
        zone = patient.timezone or house.practice.clinic_of(patient).timezone
        count = left_today(zone, left[patient.id or 0], now)
        if count >= house.practice.most_per_day:
            name = public_id("pat", patient.id)
            messages = "1 message" if count == 1 else f"{count} messages"
            yield {
                "what": "patient",
                "id": name,
                "patient": name,
                "why": f"{messages} today, as many as may be; waiting: {due[patient.id or 0]}",
                "do": f"reminderd reminder list --patient {name}",
            }


def _protocols(house: "House") -> Iterator[Item]:
    """Protocols that keep reminders waiting for a signature, or have lost one."""
    wanted = ReminderFilter(states=frozenset({State.HELD}), reasons=frozenset({Reason.UNAPPROVED}))
    held = Counter(each.protocol for each in house.outbox.reminders(wanted))
    lost = {each.key for each in house.signatures.unsigned() if each.was_signed}
    for key in sorted({*held, *lost}):
        unsigned = house.signatures.why_waiting(key)
        count = f"{held[key]} held" if held[key] else "what falls due will wait"
        yield {
            "what": "protocol",
            "id": key,
            "patient": None,
            "why": f"{unsigned.why}: {count}",
            "do": unsigned.do,
        }
