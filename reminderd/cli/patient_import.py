"""`patient import`: a whole list at once; what it will cause is said before it is stored."""

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from reminderd.cli.context import Desk
from reminderd.errors import FaultsFound, NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from reminderd.forecast import Forecast
    from reminderd.importing import Prepared
    from reminderd.model import Reason
    from reminderd.roster import Roster, RowFault

MOST_NAMED = 20
PARTLY_DONE = 3


class Wanted(NamedTuple):
    """What the options ask for."""

    dry_run: bool
    skip_bad: bool
    yes: bool
    as_json: bool


def take_in(desk: Desk, file: Path, wanted: Wanted) -> None:
    """Read, forecast, ask, store; exits with 3 where faulty rows were left out."""
    from reminderd import forecast, roster
    from reminderd.cli import output

    house, now = desk.house, desk.clock.now()
    keys = house.library.keys()
    read = roster.read(_bytes(file), house.practice.clinics, keys, now, file.name)
    _tell_faults(file, read, wanted.as_json, refuse=not wanted.skip_bad)
    prepared = house.importer.prepare(read.entries, now)
    expected = forecast.of(prepared, house.renderer, now)
    differing = list(_differing(read, prepared))
    objections = dict(_objections(prepared))
    if not wanted.as_json:
        _tell(expected, differing)
        _tell_objections(objections)
    store = not wanted.dry_run and (wanted.yes or wanted.as_json or _agreed(expected))
    if store:
        _store(desk, prepared, now, file.name)
    if wanted.as_json:
        data = _data(expected, differing, read.faults)
        output.emit({"file": str(file), "stored": store, **data, "objections": objections})
    elif store:
        click.echo(_stored(expected))
    else:
        output.note("Nothing was stored.")
    if read.faults:
        click.get_current_context().exit(PARTLY_DONE)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f"{file}: there is no such file") from error
    except OSError as error:
        raise FaultsFound([f"{file}: cannot be read: {error.strerror}"]) from error


# Faults ---------------------------------------------------------------------------------------


def _tell_faults(file: Path, read: "Roster", as_json: bool, *, refuse: bool) -> None:
    """Every fault with its place; raises FaultsFound unless the good rows are wanted."""
    from reminderd.cli import output

    if not read.faults:
        return
    lines = [_fault_line(file, each) for each in read.faults]
    if refuse:
        if as_json:
            output.emit({"file": str(file), "stored": False, "faults": _faults(read.faults)})
        raise FaultsFound(
            lines, remedy="Nothing was stored. Correct these, or store the rest with --skip-bad."
        )
    rows = len({each.line for each in read.faults})
    output.note("\n".join([*lines, f"{_count(rows, 'row')} left out for these faults."]))


def _fault_line(file: Path, fault: "RowFault") -> str:
    column = f" {fault.column}:" if fault.column else ""
    ref = f" ({fault.ref})" if fault.ref else ""
    return f"{file}:{fault.line}:{column} {fault.message}{ref}"


def _faults(faults: "Sequence[RowFault]") -> list[dict[str, Any]]:
    return [
        {"line": each.line, "column": each.column, "ref": each.ref, "message": each.message}
        for each in faults
    ]


def _differing(read: "Roster", prepared: "Sequence[Prepared]") -> Iterator[tuple[str, list[str]]]:
    """Patients whose row says something else than what is known, and in which columns."""
    from reminderd.importing import differences

    stored = {each.chart.patient.ref: each.chart.patient for each in prepared if not each.is_new}
    for entered in {each.patient.ref: each.patient for each in read.entries}.values():
        if entered.ref in stored:
            columns = differences(stored[entered.ref], entered)
            if columns:
                yield entered.ref or "", columns


def _objections(prepared: "Sequence[Prepared]") -> Iterator[tuple[str, list[str]]]:
    """New patients with an address for which somebody erased had withdrawn consent."""
    from reminderd.objections import SOURCE

    for each in prepared:
        patient = each.chart.patient
        channels = [channel for channel, said in patient.consent.items() if said.source == SOURCE]
        if each.is_new and channels:
            yield patient.ref or "", [str(channel) for channel in channels]


def _tell_objections(objections: dict[str, list[str]]) -> None:
    from reminderd.cli.output import note

    for ref, channels in list(objections.items())[:MOST_NAMED]:
        note(
            f"{ref} gets nothing by {' and '.join(channels)}: consent was withdrawn for this "
            "address, before the data of whom it belonged to was erased"
        )
    if len(objections) > MOST_NAMED:
        note(f"… and {len(objections) - MOST_NAMED} more; take --json for all.")


# What it will cause ----------------------------------------------------------------------------


def _tell(expected: "Forecast", differing: Sequence[tuple[str, list[str]]]) -> None:
    from reminderd.cli import notices
    from reminderd.cli.output import note, table

    click.echo(
        f"{_count(expected.new_patients, 'new patient')}, "
        f"{_count(expected.new_sessions, 'new session')}; {expected.known_patients} known before."
    )
    if expected.messages:
        click.echo(f"They will cause {_amount(expected)}:")
        table(("Reminder", "Count"), sorted(expected.by_milestone.items()))
        _tell_texts(expected)
    for state, counts in (("Held", expected.held), ("Left out", expected.left_out)):
        for line in _reasons(counts):
            click.echo(f"{state}: {line}")
    for line in notices.unapproved(
        key for key, count in expected.unapproved.items() for _ in range(count)
    ):
        note(line)
    for message in expected.unwritable:
        note(f"A text cannot be written: {message}")
    for ref, columns in differing[:MOST_NAMED]:
        note(f"{ref} stays as it is; the file differs in: {', '.join(columns)}")
    if len(differing) > MOST_NAMED:
        note(f"… and {len(differing) - MOST_NAMED} more patients differ from the file.")


def _amount(expected: "Forecast") -> str:
    about = "" if expected.exact else "about "
    return f"{_count(expected.messages, 'message')} with {about}{expected.segments} SMS segments"


def _tell_texts(expected: "Forecast") -> None:
    from reminderd.cli.output import instant

    click.echo("\nThe first texts:")
    for each, text in expected.first:
        at = instant(each.at, each.chart.timezone)
        said = f"{text.subject}: {text.text}" if text.subject else text.text
        click.echo(f"  {at}  {each.chart.patient.ref}  {each.channel}")
        click.echo("    " + textwrap.shorten(said, 300, placeholder=" …"))
    click.echo()


def _reasons(counts: "Mapping[Reason, int]") -> Iterator[str]:
    from reminderd.explain import REASONS

    for reason, count in counts.items():
        yield f"{count} ({REASONS[reason]})"


def _data(
    expected: "Forecast",
    differing: Sequence[tuple[str, list[str]]],
    faults: "Sequence[RowFault]",
) -> dict[str, Any]:
    from reminderd.cli.output import instant

    return {
        "patients": {"new": expected.new_patients, "known": expected.known_patients},
        "sessions": {"new": expected.new_sessions},
        "reminders": dict(sorted(expected.by_milestone.items())),
        "messages": expected.messages,
        "segments": {"count": expected.segments, "exact": expected.exact},
        "first_texts": [
            {
                "at": instant(each.at, each.chart.timezone),
                "ref": each.chart.patient.ref,
                "channel": each.channel,
                "subject": text.subject,
                "text": text.text,
            }
            for each, text in expected.first
        ],
        "held": expected.held,
        "left_out": expected.left_out,
        "differing": [{"ref": ref, "columns": columns} for ref, columns in differing],
        "faults": _faults(faults),
    }


# Storing --------------------------------------------------------------------------------------


def _agreed(expected: "Forecast") -> bool:
    """Ask on a terminal; without one, or where nothing is new, go on."""
    if not sys.stdin.isatty() or not (expected.new_patients or expected.new_sessions):
        return True
    return click.confirm("Store this?", err=True)


def _store(desk: Desk, prepared: "Sequence[Prepared]", now: "datetime", source: str) -> None:
    importer = desk.house.importer
    if not sys.stderr.isatty():
        importer.store(prepared, now, source=source)
        return
    with click.progressbar(length=len(prepared), label="Storing", file=sys.stderr) as bar:
        importer.store(prepared, now, lambda stored: bar.update(stored - bar.pos), source=source)


def _stored(expected: "Forecast") -> str:
    return (
        f"Stored {_count(expected.new_patients, 'patient')} and "
        f"{_count(expected.new_sessions, 'session')}."
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
