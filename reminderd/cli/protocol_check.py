"""`protocol check`: mistakes of the format, and then what a careful nurse would find."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json
from reminderd.cli.output import emit, note
from reminderd.errors import FaultsFound

if TYPE_CHECKING:
    from reminderd.examination.nurse import Examination
    from reminderd.findings import Remark
    from reminderd.model import Clinic

_FAULT = re.compile(r"(?P<file>.*?):(?P<line>\d+): (?P<what>.*)", re.DOTALL)
_MILESTONE = re.compile(r"milestones\.([a-z0-9-]+)[.:]")


class Unfit(FaultsFound):
    """What nobody should sign: its mistakes would keep patients from their messages."""

    exit_code = 5


@click.command("check")
@click.argument("names", metavar="[PROTOCOL]...", nargs=-1)
@as_json
@pass_desk
def check(desk: Desk, names: tuple[str, ...], as_json: bool) -> None:
    """Examine protocols as a careful nurse would: those named, by key or file, or all.

    After the mistakes of the format it tries a session at every minute of a day, also around the
    days on which clocks change, in each clinic's zone and quiet hours, and reads every text in
    every language. Each finding is an error, a warning or a hint, with its place and what to do.
    Hints alone are no failure: errors and warnings make the exit code 1.
    """
    examination = _examination(desk)
    told: dict[tuple[str | None, int, str], Remark] = {}
    for name in names or desk.library.keys():
        remarks = list(_examined(desk, examination, name))
        # Protocols share their texts; what is wrong with one is told once.
        new = {(each.file, each.line, each.what): each for each in remarks}
        if not as_json:
            _print(each for place, each in new.items() if place not in told)
            _print_verdict(name, remarks)
        told |= {place: each for place, each in new.items() if place not in told}
    if as_json:
        emit({"findings": [_data(each) for each in told.values()]})
    if not all(map(_is_hint, told.values())):
        raise Exit(1)


def refuse_unfit(desk: Desk, key: str) -> None:
    """Raise `Unfit` with every error that the check of a protocol finds; warnings are for people.

    Raises ConfigurationError where its file cannot be read at all.
    """
    from reminderd.findings import Severity

    desk.protocol(key)
    found = _examination(desk).of(desk.library.find(key))
    errors = [_line(each) for each in found if each.severity is Severity.ERROR]
    if errors:
        remedy = f"Nothing was signed. Mend that; see: reminderd protocol check {key}"
        raise Unfit(errors, remedy=remedy)


def _examination(desk: Desk) -> "Examination":
    from reminderd.bootstrap import renderer
    from reminderd.examination.nurse import Examination

    texts = renderer(desk.settings_if_any)
    return Examination(_clinics(desk), texts, desk.clock.now(), _languages_of_patients(desk))


def _clinics(desk: Desk) -> "list[Clinic]":
    from reminderd.examination.nurse import SAMPLE_CLINIC

    settings = desk.settings_if_any
    if settings is None:
        return [SAMPLE_CLINIC]
    return [settings.clinic(key, lambda _: False) for key in settings.clinic_keys]


def _languages_of_patients(desk: Desk) -> set[str] | None:
    """None where there is no database, or none that can be read now."""
    from reminderd.errors import ReminderdError

    try:
        house = desk.house_if_any
    except ReminderdError:
        return None
    if house is None:
        return None
    return {each.language for each in house.outbox.patients() if each.language}


def _examined(desk: Desk, examination: "Examination", name: str) -> "Iterable[Remark]":
    try:
        return examination.of(desk.library.find(name))
    except FaultsFound as error:
        return _mistakes(error.faults)


def _mistakes(faults: Iterable[str]) -> "Iterator[Remark]":
    """Mistakes of the format, `file:line: path: what is wrong`, as remarks."""
    from reminderd.findings import Remark, Severity

    for fault in faults:
        match = _FAULT.fullmatch(fault)
        assert match, fault
        milestone = _MILESTONE.match(match["what"])
        yield Remark(
            Severity.ERROR,
            milestone[1] if milestone else None,
            match["what"],
            None,
            match["file"],
            int(match["line"]),
        )


def _is_hint(remark: "Remark") -> bool:
    from reminderd.findings import Severity

    return remark.severity is Severity.HINT


def _data(remark: "Remark") -> dict[str, object]:
    return {
        "file": remark.file,
        "line": remark.line,
        "severity": remark.severity,
        "milestone": remark.milestone,
        "what": remark.what,
        "remedy": remark.remedy,
    }


def _print(remarks: "Iterable[Remark]") -> None:
    for each in remarks:
        if each.remedy is None:  # a mistake of the format, which names the path itself
            click.echo(f"{each.file}:{each.line}: {each.what}")
            continue
        click.echo(_line(each))
        click.echo(f"    {each.remedy}")


def _line(remark: "Remark") -> str:
    about = f"{remark.milestone}: " if remark.milestone else ""
    return f"{remark.file}:{remark.line}: {remark.severity}: {about}{remark.what}"


def _print_verdict(name: str, remarks: "Iterable[Remark]") -> None:
    found = Counter(each.severity.value for each in remarks)
    counted = [f"{count} {word}{'s' if count > 1 else ''}" for word, count in found.items()]
    mark = "✗" if found.keys() - {"hint"} else "✓"
    note(f"{mark} {name}{': ' * bool(counted)}{', '.join(counted)}")
