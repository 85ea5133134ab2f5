"""Protocol files in, `CareProtocol` out; and the exact text that the store keeps of one.

A file is checked with every mistake reported at once. What was checked when it was recorded is
built again from its document without a second check.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from os.path import isfile  # of a name that no file can have it says no, and raises nothing
from pathlib import Path
from typing import Any, NamedTuple

from reminderd.errors import FaultsFound, NotFound, shown
from reminderd.faults import did_you_mean, dotted, located, parse_toml
from reminderd.locate import KeyPath
from reminderd.model import (
    SLUG,
    CareProtocol,
    Channel,
    Course,
    CourseLead,
    Duration,
    Elapsed,
    Kind,
    Milestone,
    OnDays,
    QuietPolicy,
    Timing,
    local_time,
)


class Found(NamedTuple):
    """A protocol, the document to keep of it, and the file it was read from."""

    protocol: CareProtocol
    document: str
    path: Path


class ProtocolLibrary:
    """The protocols of a clinic: a file in an earlier folder hides one of the same key in a later.

    Nothing is remembered between calls, so an edited file counts at once.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)

    def keys(self) -> list[str]:
        """Every key there is, sorted; the files behind them may hold mistakes."""
        files = (each for folder in self._folders for each in folder.glob("*.toml"))
        return sorted({each.stem for each in files if SLUG.fullmatch(each.stem)})

    def find(self, name: str) -> Found:
        """The protocol in the file `name`, if that is a path, else the one of that key.

        Raises NotFound, and FaultsFound where its file holds mistakes.
        """
        path = Path(name)
        return read(path if path.suffix == ".toml" or isfile(path) else self.path(name))

    def path(self, key: str) -> Path:
        """The file that counts for `key`; raises NotFound."""
        if SLUG.fullmatch(key):
            for folder in self._folders:
                path = folder / f"{key}.toml"
                if isfile(path):
                    return path
        hint = did_you_mean(key[:100], self.keys())
        raise NotFound(
            f"there is no protocol {shown(key)}{hint}",
            remedy="`reminderd protocol list` shows every key; a path to a .toml file works too",
        )


def load(path: Path) -> CareProtocol:
    """Read a protocol file; raises NotFound, or FaultsFound with every mistake in it."""
    return read(path).protocol


def read(path: Path) -> Found:
    """As `load`, with the document; raises likewise."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError as error:
        raise NotFound(f"{path}: there is no such file") from error
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise FaultsFound([f"{path}:{line}: is not UTF-8 text"]) from error
    except OSError as error:
        raise FaultsFound([f"{path}:1: cannot be read: {error.strerror}"]) from error
    kept = document(text, str(path))
    return Found(from_document(kept), kept, path)


def parse(text: str, where: str) -> CareProtocol:
    """Check a protocol's text; `where` names it in messages and, if `<key>.toml`, sets its key.

    Raises FaultsFound with every mistake as `where:line: path: what is wrong`.
    """
    return from_document(document(text, where))


def document(text: str, where: str) -> str:
    """The text that the store keeps for good: the data alone, sorted, whatever the file's layout.

    Raises FaultsFound as `parse` does.
    """
    from reminderd.protocol_format import find_faults  # pydantic: only where a file is checked

    data = parse_toml(text, where)
    file = Path(where)
    faults = find_faults(data, file.stem if file.suffix == ".toml" else None)
    if faults:
        raise FaultsFound(
            located(text, where, faults, lambda path: _name(data, path)),
            remedy="`reminderd protocol schema` prints what a protocol file may say",
        )
    return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a protocol file, for editors."""
    from reminderd.protocol_format import json_schema

    return json_schema()


def _name(data: Mapping[str, Any], path: KeyPath) -> str:
    """`milestones.no-shower.expires`, or `milestones[3].expires` where it has no id of its own."""
    if len(path) > 1 and path[0] == "milestones" and isinstance(path[1], int):
        ids = [each.get("id") if isinstance(each, dict) else None for each in data["milestones"]]
        name = ids[path[1]]
        if isinstance(name, str) and SLUG.fullmatch(name) and ids.count(name) == 1:
            return dotted(("milestones", name, *path[2:]))
    return dotted(path)


def from_document(document: str) -> CareProtocol:
    """The protocol that `document` was made of; it is trusted to have been checked then."""
    data = json.loads(document)
    return CareProtocol(
        key=data["key"],
        title=data["title"],
        revision=data["revision"],
        milestones=tuple(_milestone(each) for each in data["milestones"]),
        sources=data.get("sources", {}),
        course=_course(data.get("course")),
        digest=hashlib.sha256(document.encode()).hexdigest(),
    )


def _milestone(table: Mapping[str, Any]) -> Milestone:
    channels = table.get("channels")
    return Milestone(
        id=table["id"],
        kind=Kind(table["kind"]),
        topics=frozenset(table["topics"]),
        timing=_timing(table),
        template=table.get("template", table["id"]),
        holds=_duration(table.get("holds")),
        expires=_duration(table.get("expires")),
        quiet=QuietPolicy(table.get("quiet", "defer")),
        channels=None if channels is None else tuple(Channel(each) for each in channels),
        only_for=frozenset(table.get("only_for", ())),
        source=table.get("source"),
        note=table.get("note"),
    )


def _timing(table: Mapping[str, Any]) -> Timing:
    match table:
        case {"after": after}:
            return Elapsed(Duration.parse(after).elapsed)
        case {"before": before}:
            return Elapsed(timedelta(0) - Duration.parse(before).elapsed)
        case {"lead": lead, "at": at}:
            return CourseLead(Duration.parse(lead).amount, local_time(at))
        case {"days": [first, last], "at": at}:
            return OnDays(first, last, local_time(at))
    return OnDays(table["day"], table["day"], local_time(table["at"]))


def _duration(text: str | None) -> Duration | None:
    return None if text is None else Duration.parse(text)


def _course(table: Mapping[str, Any] | None) -> Course | None:
    if table is None:
        return None
    minimum, maximum = table.get("sessions", (None, None))
    return Course(tuple(Duration.parse(each) for each in table["intervals"]), minimum, maximum)
