"""Everything of one database goes over into another one, of the other kind; the first is held.

The one place that knows both engines. How far it has come stands in the target, and changes in
the transaction in which rows are added: what was killed goes on where it was. Nothing can be sent
from the target before everything in it was compared, nor from the source afterwards.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

from reminderd.database_urls import is_distributed
from reminderd.engine import Compared, Copied
from reminderd.engines.distributed import moving as server
from reminderd.engines.distributed.tenancy import own, own_notes
from reminderd.engines.embedded import moving as file
from reminderd.engines.tables.moving import (
    EMPTY_ONE,
    TABLES,
    End,
    RowsRefused,
    Table,
    first_other,
    named,
    pages,
    shared,
    sum_of,
    without_nul,
)
from reminderd.engines.tables.sealed import SEALED_BY
from reminderd.engines.tables.store import Row
from reminderd.engines.tables.trail import HEAD
from reminderd.engines.tables.whole import COPY, note
from reminderd.errors import FaultsFound, Refused, TryAgainLater
from reminderd.holding import MOVED
from reminderd.sealing import Seal

Tell = Callable[[str], None]
BEGIN_ANEW = (
    "Somebody has changed one of them meanwhile. Empty the one that is copied to, and give the "
    "command again: it begins anew."
)


@dataclass(frozen=True)
class Progress:
    """How far a copy has come: everything before `table` is there, and of it all up to `after`.

    `source` is the installation that it is copied from, `copy` a random id of its own.
    """

    copy: str
    source: str
    table: str
    rows: int = 0
    after: Row = ()
    whole: bool = False

    def written(self) -> str:
        """As the target keeps it."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, kept: str) -> "Progress":
        """As it was `written`."""
        found = json.loads(kept)
        return cls(**{**found, "after": tuple(found["after"])})


def copy(
    source: str,
    target: str,
    seal: Seal | None,
    now: datetime,
    tell: Tell,
    clinics: Sequence[str] = (),
) -> Copied:
    """Let all rows go over from one URL to the other, compare them, and hold the source.

    `tell` hears of each table. On a file, what these clinics kept of their own on a server, such as
    that sending is held, goes by the names that it has there. Raises TryAgainLater where either is
    in use or a server cannot be reached, Refused where the target holds anything else, FaultsFound
    where a row is not taken or something is not the same; the same call goes on then.
    """
    with _target(target) as there:
        with _source(source, seal) as here:
            where = here.where
            progress = _begun(here, there)
            if progress.whole:
                return Copied(where, there.where, [], [])
            progress = _all_tables(here, there, progress, tell)
            counters = here.counters()  # whoever is kept from writing takes numbers all the same
            with there.transaction():
                there.count_on(counters)
            tables, replaced = _compared(here, there, tell)
            _refuse_counted_less(there, counters)
            moved = {"to": there.where, "at": now.isoformat(), "copy": progress.copy}
            _set_note(here, MOVED, json.dumps(moved, ensure_ascii=False))
        # The source is held from here on: only now may the target be sent from.
        _let_go(there, progress, [] if is_distributed(target) else clinics)
    return Copied(where, there.where, tables, replaced)


def _let_go(target: End, progress: Progress, clinics: Sequence[str]) -> None:
    with target.transaction():
        notes = target.query("SELECT key, value FROM notes")
        for key, value in own_notes(notes, clinics):
            _set_note(target, key, value)
            target.execute("DELETE FROM notes WHERE key = ?", (own(key, clinics),))
        _keep(target, progress, replace(progress, whole=True))


def copy_rows(source: str, target: Path, clinics: Sequence[str] | None = None) -> None:
    """Write one state of a database on a server into a new file, to be thrown away.

    Of patients those of `clinics`, and then without the trail, which is whole or worth nothing.
    Senders may go on meanwhile; nothing is compared. Raises as `copy`.
    """
    with server.snapshot(source, clinics) as here, file.throw_away(target) as there:
        there.execute("DELETE FROM notes")
        for table in TABLES:
            if table.name == "audit" and clinics is not None:
                continue
            columns = shared(here, there, table)
            for rows in pages(here, table, columns):
                there.put(table.name, columns, rows)
        there.count_on(here.counters())
        if clinics is not None:
            there.execute("DELETE FROM notes WHERE key = ?", (HEAD,))
            for key, value in own_notes(here.query("SELECT key, value FROM notes"), clinics):
                _set_note(there, key, value)


def _source(url: str, seal: Seal | None) -> AbstractContextManager[End]:
    if is_distributed(url):
        return server.source(url, seal)
    return file.source(Path(url), seal)


def _target(url: str) -> AbstractContextManager[End]:
    return server.target(url) if is_distributed(url) else file.target(Path(url))


# Beginning, or going on ---------------------------------------------------------------------------


def _begun(source: End, target: End) -> Progress:
    installation, moved = note(source, "installation") or "", _moved(source)
    with target.transaction():
        kept = note(target, COPY)
        if kept is None:
            _refuse_filled(target)
            progress = Progress(secrets.token_hex(6), installation, TABLES[0].name)
            target.execute("DELETE FROM notes")
            _set_note(target, COPY, progress.written())
        else:
            progress = Progress.read(kept)
    if progress.source != installation:
        raise Refused(f"{target.where}: holds the copy of another database", remedy=EMPTY_ONE)
    if moved is not None and moved["copy"] != progress.copy:
        raise Refused(
            f"{source.where}: was moved to {moved['to']} already",
            remedy="Set database.url to that one, and copy from there.",
        )
    if moved is None and progress.whole:
        raise Refused(
            f"{target.where}: is a whole copy, and {source.where} went on since",
            remedy=EMPTY_ONE,
        )
    return progress


def _moved(source: End) -> dict[str, str] | None:
    found: dict[str, str] | None = json.loads(note(source, MOVED) or "null")
    return found


def _refuse_filled(target: End) -> None:
    for table in TABLES:
        own = f"key NOT IN ('installation', '{SEALED_BY}')" if table.name == "notes" else "TRUE"
        if target.query(f"SELECT 1 FROM {table.name} WHERE {own} LIMIT 1"):
            raise Refused(
                f"{target.where}: is not empty: it has {table.name}",
                remedy=EMPTY_ONE,
            )


def _set_note(end: End, key: str, value: str) -> None:
    end.execute(
        "INSERT INTO notes (key, value) VALUES (?, ?) "
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        (key, value),
    )


def _keep(target: End, was: Progress, becomes: Progress) -> None:
    """Raises TryAgainLater where the target is not as we left it."""
    kept = target.query(
        "UPDATE notes SET value = ? WHERE key = ? AND value = ? RETURNING key",
        (becomes.written(), COPY, was.written()),
    )
    if not kept:
        raise TryAgainLater(
            f"{target.where}: another `reminderd db copy` writes into it",
            remedy="Let that one do the work.",
        )


# Rows ---------------------------------------------------------------------------------------------


def _all_tables(source: End, target: End, progress: Progress, tell: Tell) -> Progress:
    names = [each.name for each in TABLES]
    for table in TABLES[names.index(progress.table) :]:
        progress = _one_table(source, target, table, progress, tell)
    return progress


def _one_table(source: End, target: End, table: Table, kept: Progress, tell: Tell) -> Progress:
    columns, at = shared(source, target, table), kept
    if kept.table != table.name:
        at = replace(kept, table=table.name, rows=0, after=())
    for rows in pages(source, table, columns, at.after):
        at = replace(at, rows=at.rows + len(rows), after=rows[-1][: len(table.key)])
        _put(target, table, columns, [without_nul(each) for each in rows], kept, at)
        kept = at
    tell(f"copied    {table.name}: {at.rows} rows")
    return kept


def _put(
    target: End, table: Table, columns: list[str], rows: list[Row], was: Progress, is_now: Progress
) -> None:
    try:
        with target.transaction():
            target.put(table.name, columns, rows)
            _keep(target, was, is_now)
    except RowsRefused as error:
        raise _refused(target, table, columns, rows, error) from error


def _refused(
    target: End, table: Table, columns: list[str], rows: list[Row], error: RowsRefused
) -> FaultsFound:
    """Which of the rows it was: each is tried alone, and nothing of it stays."""
    row, why = rows[0], error
    try:
        with target.transaction():
            for row in rows:
                target.put(table.name, columns, [row])
            raise error
    except RowsRefused as found:
        why = found
    name = named(row[: len(table.key)])
    return FaultsFound(
        [f"{target.where}: does not take {table.name} {name}: {why}"],
        remedy="Correct it in the database that you copy from: reminderd db check. Then give the "
        "command again.",
    )


# Whether it is the same ---------------------------------------------------------------------------


def _compared(source: End, target: End, tell: Tell) -> tuple[list[Compared], list[str]]:
    """What both hold; raises FaultsFound with everything that is not the same."""
    tables: list[Compared] = []
    replaced: list[str] = []
    faults: list[str] = []
    for table in TABLES:
        columns = shared(source, target, table)
        here, holding_nul = sum_of(source, table, columns)
        there, _ = sum_of(target, table, columns)
        if here != there:
            first = first_other(source, target, table, columns)
            faults.append(
                f"{table.name}: {here.rows} rows in {source.where}, {there.rows} in "
                f"{target.where}, and the first that differs is {first}"
            )
        tell(f"compared  {table.name}: {there.rows} rows")
        tables.append(Compared(table.name, *here))
        replaced += holding_nul
    if faults:
        raise FaultsFound(faults, remedy=BEGIN_ANEW)
    return tables, replaced


def _refuse_counted_less(target: End, counters: Mapping[str, int]) -> None:
    given = target.counters()
    faults = [
        f"{table}: numbers up to {highest} were given, and {target.where} would give them again"
        for table, highest in counters.items()
        if given.get(table, 0) < highest
    ]
    if faults:
        raise FaultsFound(faults, remedy=BEGIN_ANEW)
