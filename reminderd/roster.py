"""The clinic's list of patients and sessions: a CSV file, read whole, with every fault named.

The columns are those of the public contract. Nothing is stored here.
"""

import csv
from codecs import BOM_UTF8
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO

from reminderd.entries import (
    Fault,
    Form,
    read_area,
    read_patient,
    read_session_at,
    read_tags,
    unknown,
)
from reminderd.errors import shown, visible
from reminderd.model import Clinic, Patient

PATIENT_COLUMNS = (
    "ref", "given_name", "family_name", "phone", "email", "timezone", "language", "channels",
    "consent", "clinic",
)  # fmt: skip
COLUMNS = (*PATIENT_COLUMNS, "protocol", "session_at", "tags", "area")
REQUIRED = ("ref", "given_name")


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A treatment as the list has it."""

    protocol: str
    at: datetime
    tags: frozenset[str]
    area: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a patient, and a session where the row has one. `line` is where the row begins."""

    line: int
    patient: Patient
    session: SessionEntry | None


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong in the row that begins at `line`.

    `column` is empty where it is the whole row, `ref` where it cannot be read.
    """

    line: int
    column: str
    ref: str
    message: str


@dataclass(frozen=True, slots=True)
class Roster:
    """A list as read: the rows that can be taken as they are, and every fault of the others."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[RowFault] = field(default_factory=list)


def read(
    data: bytes,
    clinics: Mapping[str, Clinic],
    protocol_keys: Collection[str],
    now: datetime,
    source: str,
) -> Roster:
    """The list in a CSV file, in file order; never raises for what is in the file.

    A row that repeats an earlier one adds nothing. Tags and area of a row without a session mean
    nothing. A file with a faulty header has no entries.
    """
    try:
        text = data.removeprefix(BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        message = 'is not text in UTF-8; save the file as "CSV UTF-8"'
        return Roster(faults=[RowFault(line, "", "", message)])
    rows = _rows(text)
    line, header = next(rows, (1, []))
    names = [] if isinstance(header, str) else [cell.strip() for cell in header]
    faults = [Fault("", header)] if isinstance(header, str) else list(_header_faults(names))
    if faults:
        return Roster(faults=[RowFault(line, each.field, "", each.message) for each in faults])
    desk = _Desk(clinics, protocol_keys, now, source)
    for line, cells in rows:
        desk.take(line, names, cells)
    return desk.roster


def _rows(text: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each row that is not blank, with the line on which it begins; a message where it breaks."""
    reader = csv.reader(StringIO(text, newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, _broken(str(error), reader.line_num)
            continue
        if any(map(str.strip, cells)):
            yield line, cells


def _broken(error: str, last_line: int) -> str:
    """What the csv module found, in our words."""
    if "unexpected end" in error:
        return "a quotation mark opens a cell and none closes it; close it or remove it"
    if "field larger" in error:
        return f"a cell is far too long, up to line {last_line}; is a quotation mark left open?"
    return 'a quotation mark is inside a cell; write it twice, in a quoted cell: "one ""two"""'


def _header_faults(names: Sequence[str]) -> Iterator[Fault]:
    if not names:
        yield Fault("", f"the file is empty; begin it with the columns {','.join(COLUMNS)}")
    elif len(names) == 1 and names[0] not in COLUMNS:
        yield Fault("", f"the header is {shown(names[0])}; separate the columns with commas")
    else:
        for place, name in enumerate(names, start=1):
            if not name:
                yield Fault("", f"column {place} has no name; name it or remove it")
            elif name not in COLUMNS:
                yield Fault(visible(name), unknown(name, "column", COLUMNS))
            elif name in names[: place - 1]:
                yield Fault(name, "the header names this column twice; remove one")
        for name in REQUIRED:
            if name not in names:
                yield Fault(name, "the header lacks this column; add it")


class _Desk:
    """Takes row after row; knows who and what came before."""

    def __init__(
        self,
        clinics: Mapping[str, Clinic],
        protocol_keys: Collection[str],
        now: datetime,
        source: str,
    ) -> None:
        self._clinics = clinics
        self._protocol_keys = protocol_keys
        self._now = now
        self._source = source
        self._patients: dict[str, tuple[int, dict[str, str], Patient]] = {}  # by ref, first row
        self._taken: dict[object, Entry] = {}
        self.roster = Roster()

    def take(self, line: int, names: Sequence[str], cells: list[str] | str) -> None:
        """Read one row into an entry or into faults."""
        ref = ""
        if isinstance(cells, str):
            faults = [Fault("", cells)]
        elif len(cells) != len(names):
            faults = [_miscounted(names, len(cells))]
        else:
            raw = dict(zip(names, cells, strict=True))
            faults = self._row(line, raw)
            ref = "" if any(each.field == "ref" for each in faults) else raw["ref"]
        self.roster.faults.extend(RowFault(line, each.field, ref, each.message) for each in faults)

    def _row(self, line: int, raw: dict[str, str]) -> list[Fault]:
        patient, faults = self._patient(line, raw)
        session, more = self._session(raw, patient)
        if patient is None or faults or more:
            return faults + more
        entry = Entry(line, patient, session)
        key = (patient.ref, session and session.protocol, session and session.at)
        first = self._taken.setdefault(key, entry)
        if first is entry:
            self.roster.entries.append(entry)
        return list(_differing(("tags", "area"), first.session, session, "session", first.line))

    def _patient(self, line: int, raw: dict[str, str]) -> tuple[Patient | None, list[Fault]]:
        typed = {column: raw.get(column, "") for column in PATIENT_COLUMNS}
        first = self._patients.get(typed["ref"])
        if first and first[1] == typed:
            return first[2], []
        patient, faults = read_patient(typed, self._clinics, self._now, self._source)
        if not typed["ref"].strip():
            return None, [Fault("ref", "is missing; write the clinic's own key"), *faults]
        if patient is None or patient.ref is None:
            return None, faults
        before, _, same = self._patients.setdefault(patient.ref, (line, typed, patient))
        return patient, list(_differing(PATIENT_COLUMNS, same, patient, "ref", before))

    def _session(
        self, raw: dict[str, str], patient: Patient | None
    ) -> tuple[SessionEntry | None, list[Fault]]:
        form = Form(raw)
        if not (form.has("protocol") or form.has("session_at")):
            return None, []
        at = form.read(
            "session_at",
            lambda text: read_session_at(text, self._zone(patient), self._now),
            missing="is missing; write when the session is, or leave protocol empty too",
        )
        protocol = form.read(
            "protocol", self._protocol, missing="is missing; write it, or no session_at either"
        )
        no_tags: frozenset[str] = frozenset()
        tags = form.read("tags", read_tags, default=no_tags)
        area = form.read("area", read_area)
        if protocol is None or at is None or tags is None:
            return None, form.faults
        return SessionEntry(protocol, at, tags, area), form.faults

    def _zone(self, patient: Patient | None) -> str:
        if patient is None:
            return "UTC"  # the row is refused already: this only looks for further faults
        return patient.timezone or self._clinics[patient.clinic].timezone

    def _protocol(self, text: str) -> str:
        if text not in self._protocol_keys:
            raise ValueError(unknown(text, "protocol", self._protocol_keys))
        return text


def _miscounted(names: Sequence[str], cells: int) -> Fault:
    column = names[cells] if cells < len(names) else ""
    counts = f"the row has {cells} cells and the header {len(names)}"
    return Fault(column, f"{counts}; add the missing commas, or quote a cell that holds one")


def _differing(
    columns: Sequence[str], before: object, after: object, shared: str, line: int
) -> Iterator[Fault]:
    """A fault for each column in which two rows that ought to be the same are not."""
    for column in columns:
        if getattr(before, column, None) != getattr(after, column, None):
            yield Fault(column, f"differs from line {line} of the same {shared}; correct one")
