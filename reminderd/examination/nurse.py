"""The examination that a careful nurse would make of a protocol that reads well: what `check` says.

Everything is tried: a session at every minute of an ordinary day and around both clock changes, and
every text in every language. Nothing is sent and nothing is stored.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from reminderd import locate
from reminderd.examination import messages, milestones, texts
from reminderd.examination.every_minute import TrialDay, Trials, trial_days
from reminderd.findings import Remark, Severity
from reminderd.model import Clinic
from reminderd.protocols import Found
from reminderd.render import Renderer
from reminderd.sample import CLINIC, LONGEST_CLINIC_NAME

SAMPLE_CLINIC = replace(CLINIC, name=LONGEST_CLINIC_NAME)  # where none is configured
_ORDER = list(Severity)


@dataclass(frozen=True)
class _Room:
    """Where protocols are tried: a clinic, and the days in its zone with its quiet hours."""

    clinic: Clinic
    trials: Sequence[Trials]


class Examination:
    """Examines one protocol after the other, for the clinics that would use them.

    `languages` are those of patients, None where they are not known; `now` says which clock changes
    come next.
    """

    def __init__(
        self,
        clinics: Iterable[Clinic],
        renderer: Renderer,
        now: datetime,
        languages: Collection[str] | None = None,
    ) -> None:
        self._renderer = renderer
        self._languages = languages
        self._rooms = _rooms(clinics, now)

    def of(self, found: Found) -> list[Remark]:
        """Everything that is wrong, in the order of files and lines, the worst of a line first."""
        examined = [list(dict.fromkeys(self._in(room, found))) for room in self._rooms]
        remarks = dict.fromkeys(remark for each in examined for remark in each)
        lines = _lines(found)
        placed = (_placed(each, found, lines) for each in remarks)
        return sorted(placed, key=lambda each: (each.file, each.line, _ORDER.index(each.severity)))

    def _in(self, room: _Room, found: Found) -> Iterator[Remark]:
        protocol, shelf = found.protocol, self._renderer.texts
        tables = messages.timetables(protocol, room.trials)
        bundles = messages.bundles(tables)
        yield from milestones.never_sent(protocol, room.trials)
        yield from milestones.without_counterpart(protocol)
        yield from milestones.told_too_late(protocol)
        yield from messages.close_pairs(tables)
        yield from messages.crowded_days(tables)
        yield from texts.missing_texts(protocol, room.clinic, shelf, bundles, self._languages)
        yield from texts.wrong_words(protocol, shelf)
        yield from texts.badly_said(protocol, room.clinic, self._renderer, bundles)


def _rooms(clinics: Iterable[Clinic], now: datetime) -> list[_Room]:
    """One for each clinic that differs in what counts; days are tried once where they can be."""
    tried: dict[object, list[Trials]] = {}
    rooms: dict[Clinic, _Room] = {}
    for clinic in clinics:
        hours = (clinic.timezone, clinic.quiet_hours)
        if hours not in tried:
            tried[hours] = [_trials(clinic, day) for day in trial_days(clinic.timezone, now)]
        rooms.setdefault(replace(clinic, key=""), _Room(clinic, tried[hours]))
    return list(rooms.values())


@lru_cache(maxsize=16)  # what was tried for one protocol may serve the next
def _trials(clinic: Clinic, day: TrialDay) -> Trials:
    return Trials(clinic, day)


def _lines(found: Found) -> dict[str, int]:
    """The line at which each milestone begins."""
    where = locate.lines(found.path.read_text("utf-8-sig"))
    return {
        each.id: locate.line_of(where, ("milestones", number))
        for number, each in enumerate(found.protocol.milestones)
    }


def _placed(remark: Remark, found: Found, lines: dict[str, int]) -> Remark:
    if remark.file is not None:
        return remark
    line = lines[remark.milestone] if remark.milestone else 1
    return remark._replace(file=str(found.path), line=line)
