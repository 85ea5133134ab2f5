"""What people type about a patient and a session, read with every mistake at once."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

from reminderd.errors import FaultsFound

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.entries import Fault
    from reminderd.model import Channel, Patient
    from reminderd.roster import SessionEntry

Command = TypeVar("Command", bound=Callable[..., Any])


class WrongEntry(FaultsFound):
    """Options hold mistakes; nothing was written."""

    exit_code = 2


class UnknownName(FaultsFound):
    """The only mistakes are names of a clinic or a protocol that there is not."""

    exit_code = 4


PATIENT_OPTIONS = {
    "given-name": "What the texts call the patient.",
    "family-name": "For the staff; no text says it.",
    "phone": "A mobile number, with its country code or as dialled in the clinic's country.",
    "email": "One address.",
    "timezone": "Where the patient lives, such as Europe/Madrid; otherwise the clinic's.",
    "language": "Of the texts, such as es; otherwise the clinic's.",
    "channels": "In the order of preference: sms,email.",
    "clinic": "The clinic's short name in the configuration.",
    "ref": "The clinic's own key for the patient.",
    "screening": "What calls for caution: eczema, psoriasis, clotting-disorder, pregnancy,"
    " breastfeeding. Only staff see it.",
}
CONSENT_OPTION = {"consent": "The channels for which the patient has agreed: sms,email."}
SESSION_OPTIONS = {
    "protocol": "The aftercare protocol's key.",
    "at": "When the treatment is or was, such as 2026-03-28T14:30 in the patient's zone.",
    "area": "The treated area.",
}


def typed(options: Mapping[str, str]) -> Callable[[Command], Command]:
    """Options that take a text; one that is not given is None."""

    def add(command: Command) -> Command:
        for name, help_text in reversed(list(options.items())):
            metavar = "T" if name == "at" else "TEXT"
            command = click.option(f"--{name}", metavar=metavar, help=help_text)(command)
        return command

    return add


tag_option = click.option(
    "--tag", "tags", multiple=True, metavar="TAG", help="Such as weight-loss; may be repeated."
)


def given(**options: str | None) -> dict[str, str]:
    """The options that were given, as a form."""
    return {name: text for name, text in options.items() if text is not None}


def read_patient(
    house: "House", form: Mapping[str, str], now: datetime, source: str
) -> "tuple[Patient | None, list[Fault]]":
    """The patient whom the options describe, or every fault."""
    from reminderd import entries

    return entries.read_patient(form, house.practice.clinics, now, source, separator=",")


def read_session(
    house: "House", form: Mapping[str, str], tags: Iterable[str], zone: str, now: datetime
) -> "tuple[SessionEntry | None, list[Fault]]":
    """The session that the options describe, or every fault."""
    from reminderd import entries
    from reminderd.roster import SessionEntry

    fields = entries.Form({**form, "tag": ";".join(tags)})
    keys = house.library.keys()
    protocol = fields.read(
        "protocol", lambda text: _one_of(text, keys), missing=f"is missing; there is {_list(keys)}"
    )
    at = fields.read(
        "at",
        lambda text: entries.read_session_at(text, zone, now),
        missing='is missing; write for example "2026-03-28T14:30"',
    )
    no_tags: frozenset[str] = frozenset()
    read_tags = fields.read("tag", entries.read_tags, default=no_tags)
    area = fields.read("area", entries.read_area)
    if fields.faults or protocol is None or at is None or read_tags is None:
        return None, fields.faults
    return SessionEntry(protocol, at, read_tags, area), []


def _one_of(text: str, keys: list[str]) -> str:
    from reminderd.entries import unknown

    if text not in keys:
        raise ValueError(unknown(text, "protocol", keys))
    return text


def _list(keys: Iterable[str]) -> str:
    return ", ".join(keys)


def refuse(house: "House", form: Mapping[str, str], faults: "Iterable[Fault]") -> FaultsFound:
    """The error to raise: every fault, each with its option."""
    faults = list(faults)
    known = {"clinic": set(house.practice.clinics), "protocol": set(house.library.keys())}
    strange = {name for name in known if form.get(name) and form[name].strip() not in known[name]}
    lines = [f"--{each.field.replace('_', '-')}: {each.message}" for each in faults]
    kind = UnknownName if {each.field for each in faults} <= strange else WrongEntry
    return kind(lines, remedy="Nothing was stored.")


def edited(house: "House", old: "Patient", form: Mapping[str, str], now: datetime) -> "Patient":
    """The patient with what was given instead of what was known; all faults are raised at once."""
    known = {
        "given_name": old.given_name,
        "family_name": old.family_name,
        "phone": old.phone or "",
        "email": old.email or "",
        "timezone": old.timezone or "",
        "language": old.language or "",
        "channels": ",".join(old.channels),
        "clinic": old.clinic,
        "ref": old.ref or "",
        "screening": ",".join(old.screening),
    }
    new, faults = read_patient(house, {**known, **form}, now, "patient edit")
    if new is None:
        raise refuse(house, form, faults)
    return replace(
        new, id=old.id, consent=old.consent, paused=old.paused, bad_addresses=_bad(old, new)
    )


def _bad(old: "Patient", new: "Patient") -> "frozenset[Channel]":
    """An address that a provider called wrong stays so until there is another."""
    from reminderd.model import Channel

    same = {Channel.SMS: old.phone == new.phone, Channel.EMAIL: old.email == new.email}
    return frozenset(each for each in old.bad_addresses if same[each])
