"""What a protocol file may say (contract, section 3): its types, and the rules between its keys.

Everything that needs pydantic is here, so that a protocol which was checked once can be read back
without it.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema

from reminderd.errors import shown
from reminderd.faults import Fault, from_validation
from reminderd.model import SLUG, Duration, local_time

FURTHEST_DAY = 730  # a session is never entered further ahead, so nothing further can be meant
TIMINGS = ("after", "before", "day", "days", "lead")
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


def _slug(text: str) -> str:
    if not SLUG.fullmatch(text):
        raise ValueError("must be lower-case words joined by hyphens, such as no-shower")
    return text


def _duration(units: str, least: int) -> Callable[[str], str]:
    """A check for durations in `units` of at least `least` (any sign where that is negative)."""

    def check(text: str) -> str:
        duration = Duration.parse(text)
        if duration.unit not in units:
            wanted = {"mh": "minutes or hours", "d": "whole days"}[units]
            raise ValueError(f"{shown(text)} must be in {wanted}")
        if 0 <= least > duration.amount:
            raise ValueError(
                f'"{text}" must be {"more than nothing" if least else "positive or 0"}'
            )
        if abs(duration.amount) * {"m": 1, "h": 60, "d": 1440}[duration.unit] > FURTHEST_DAY * 1440:
            raise ValueError(f"{shown(text)} is more than {FURTHEST_DAY} days")
        return text

    return check


def _time_of_day(text: str) -> str:
    local_time(text)
    return text


def _days(days: list[int]) -> list[int]:
    first, last = days
    if first > last:
        raise ValueError(f"the first day, {first}, comes after the last, {last}")
    if first < 0 <= last:
        raise ValueError("both ends must lie before the session, or none")
    return days


def _sessions(counts: list[int]) -> list[int]:
    if not 1 <= counts[0] <= counts[1]:
        raise ValueError("must be the usual minimum and maximum, such as [3, 10]")
    return counts


def _no_twins(values: list[str]) -> list[str]:
    if len(set(values)) < len(values):
        raise ValueError("names something twice")
    return values


def _as_duration(units: str, sign: str = "") -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": rf"^{sign}\d{{1,6}}[{units}]$"})


_SLUG_SCHEMA = WithJsonSchema({"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"})
Slug = Annotated[str, AfterValidator(_slug), _SLUG_SCHEMA]
Slugs = Annotated[list[Slug], Field(min_length=1), AfterValidator(_no_twins)]
Text = Annotated[str, Field(min_length=1)]
SinceSession = Annotated[str, AfterValidator(_duration("mh", 0)), _as_duration("mh")]
UntilSession = Annotated[str, AfterValidator(_duration("mh", 1)), _as_duration("mh")]
Length = Annotated[str, AfterValidator(_duration("mhd", 0)), _as_duration("mhd")]
Lifetime = Annotated[str, AfterValidator(_duration("mhd", 1)), _as_duration("mhd")]
Interval = Annotated[str, AfterValidator(_duration("d", 1)), _as_duration("d")]
Lead = Annotated[str, AfterValidator(_duration("d", -1)), _as_duration("d", "-?")]
TimeOfDay = Annotated[
    str,
    AfterValidator(_time_of_day),
    WithJsonSchema({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}),
]
Day = Annotated[int, Field(ge=-FURTHEST_DAY, le=FURTHEST_DAY)]
ChannelName = Literal["sms", "email"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class MilestoneFormat(_Table):
    """One rule of the protocol."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {"required": ["after"]},
                {"required": ["before"]},
                {"required": ["day", "at"]},
                {"required": ["days", "at"]},
                {"required": ["lead", "at"]},
            ]
        }
    )

    id: Slug = Field(description="Names the milestone; unique in the file.")
    kind: Literal["restriction", "release", "routine", "inform", "check", "course"] = Field(
        description="What it is for."
    )
    topics: Slugs = Field(description="What it is about; a release has exactly one.")
    after: SinceSession | None = Field(None, description="Elapsed time after the session.")
    before: UntilSession | None = Field(None, description="Elapsed time before the session.")
    day: Day | None = Field(None, description="Days after the session's date; may be negative.")
    days: Annotated[list[Day], Field(min_length=2, max_length=2), AfterValidator(_days)] | None = (
        Field(None, description="First and last day: one reminder on each.")
    )
    lead: Lead | None = Field(
        None, description="Kind course only: days from when the next session is due."
    )
    at: TimeOfDay | None = Field(None, description="Local time of day, with day, days or lead.")
    holds: Length | None = Field(
        None, description="Restriction only: how long it holds, from the session on."
    )
    expires: Lifetime | None = Field(
        None, description="Sending later than this after its time is pointless."
    )
    quiet: Literal["defer", "advance", "drop", "ignore"] = Field(
        "defer", description="What happens if its time falls into quiet hours."
    )
    template: Slug | None = Field(None, description="The template; the id unless given.")
    channels: (
        Annotated[list[ChannelName], Field(min_length=1), AfterValidator(_no_twins)] | None
    ) = Field(None, description="The only channels that it may use.")
    only_for: Slugs | None = Field(
        None, description="Only for sessions that carry one of these tags."
    )
    source: Text | None = Field(None, description="The document that it comes from.")
    note: Text | None = Field(None, description="How the document was read.")


class CourseFormat(_Table):
    """How many sessions a course has and how far apart they are."""

    intervals: list[Interval] = Field(
        min_length=1, description="Pause after session 1, 2, 3 …; the last one repeats."
    )
    sessions: (
        Annotated[list[int], Field(min_length=2, max_length=2), AfterValidator(_sessions)] | None
    ) = Field(None, description="The usual minimum and maximum.")


class ProtocolFormat(_Table):
    """A clinic's aftercare rules."""

    model_config = ConfigDict(title="reminderd protocol")

    key: Slug = Field(description="Names the protocol; equals the file's name.")
    title: Text = Field(description="What people call it.")
    revision: int = Field(ge=1, description="The clinic raises it when it changes the file.")
    sources: dict[str, Text] = Field(
        default_factory=dict, description="The documents that milestones cite, by short name."
    )
    course: CourseFormat | None = Field(None, description="Required by milestones of kind course.")
    milestones: list[MilestoneFormat] = Field(min_length=1, description="The rules.")


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a protocol file, for editors."""
    schema = ProtocolFormat.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def find_faults(data: dict[str, Any], file_key: str | None) -> list[Fault]:
    """Everything wrong with the data of a protocol file called `file_key`, all at once."""
    faults: list[Fault] = []
    try:
        ProtocolFormat.model_validate(data)
    except ValidationError as error:
        faults.extend(from_validation(error, ProtocolFormat))
    key = data.get("key")
    if file_key is not None and isinstance(key, str) and key != file_key:
        faults.append(Fault(("key",), f'"{key}" must equal the name of the file, "{file_key}"'))
    listed = data.get("milestones")
    if isinstance(listed, list):
        tables = [(index, each) for index, each in enumerate(listed) if isinstance(each, dict)]
        wrong = {fault.path for fault in faults}
        faults.extend(_between_milestones(data, tables))
        for index, table in tables:
            at = ("milestones", index)
            sound = {key: value for key, value in table.items() if not _touches(wrong, (*at, key))}
            faults.extend(Fault((*at, key), text) for key, text in _within(table, sound))
    return faults


def _touches(wrong: set[tuple[str | int, ...]], path: tuple[str | int, ...]) -> bool:
    return any(each[: len(path)] == path for each in wrong)


def _between_milestones(
    data: Mapping[str, Any], tables: list[tuple[int, dict[str, Any]]]
) -> Iterator[Fault]:
    seen: set[str] = set()
    sources = data.get("sources")
    for index, table in tables:
        name, source = table.get("id"), table.get("source")
        if isinstance(name, str):
            if name in seen:
                yield Fault(("milestones", index, "id"), f'"{name}" is the id of another milestone')
            seen.add(name)
        if table.get("kind") == "course" and "course" not in data:
            yield Fault(("milestones", index, "kind"), "needs a table [course] with its intervals")
        if isinstance(sources, dict) and isinstance(source, str) and source not in sources:
            yield Fault(("milestones", index, "source"), f'"{source}" is not one of the sources')


def _within(given: Mapping[str, Any], sound: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What is wrong between the keys of one milestone; only `sound` values can be looked into."""
    yield from _timing_faults(given, sound)
    yield from _kind_faults(given, sound)
    if sound.keys() == given.keys() and can_reach_expiry(sound):
        yield (
            "holds" if "holds" in sound else "expires",
            "can be over before the reminder's time comes; say it earlier, or give it longer",
        )


def _timing_faults(given: Mapping[str, Any], sound: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    timings = [each for each in TIMINGS if each in given]
    if not timings:
        yield "after", f"is missing, or another timing: one of {', '.join(TIMINGS)}"
    elif len(timings) > 1:
        yield timings[-1], f"is one timing too many: keep one of {', '.join(timings)}"
    elif timings[0] in ("after", "before") and "at" in given:
        yield "at", f'does not go with "{timings[0]}"'
    elif timings[0] not in ("after", "before") and "at" not in given:
        yield "at", f'is required with "{timings[0]}"'
    if "kind" in sound:
        for timing in timings:
            if (timing == "lead") != (sound["kind"] == "course"):
                yield timing, 'the timing "lead" and the kind "course" need each other'


def _kind_faults(given: Mapping[str, Any], sound: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind = sound.get("kind")
    if kind == "restriction" and "holds" not in given:
        yield "holds", "is required on a restriction"
    if kind not in (None, "restriction") and "holds" in given:
        yield "holds", "is only for a restriction"
    if kind not in (None, "restriction") and "expires" not in given:
        yield "expires", f'is required with kind "{kind}"'
    if kind == "release" and len(sound.get("topics", "?")) != 1:
        yield "topics", "must be exactly one on a release, so that it can be withheld alone"
    if kind == "release" and sound.get("quiet") == "advance":
        yield "quiet", '"advance" would give the all-clear too early'


def can_reach_expiry(milestone: Mapping[str, Any]) -> bool:
    """Whether for some time of day of the session its nominal instant is not before its expiry.

    Measured from the session T. An own `expires` is counted from nominal and is more than nothing,
    so only two cases are left. Aftercare without `expires` ends at T + `holds`; it is said latest,
    seen from T, when T is the first instant of its day. Pre-care ends at T, and closest to T is
    the evening before a T at midnight; `before` is a fixed length and cannot reach it. Where an
    elapsed length meets a calendar one, or a local time can be moved by a clock change, the two
    may come an hour closer.
    """
    timing = next((each for each in TIMINGS if each in milestone), "after")
    if timing in ("before", "lead") or milestone.keys().isdisjoint(TIMINGS):
        return False
    if timing == "after":
        said, on_calendar = Duration.parse(milestone["after"]).elapsed, False
    else:
        at = local_time(milestone.get("at", "00:00"))
        day = milestone["days"][1] if timing == "days" else milestone["day"]
        said, on_calendar = timedelta(days=day, hours=at.hour, minutes=at.minute), True
    if said < timedelta(0):
        return said + _HOUR >= timedelta(0)
    if "expires" in milestone or "holds" not in milestone:
        return False
    holds = Duration.parse(milestone["holds"])
    over = holds.amount * _DAY if holds.unit == "d" else holds.elapsed
    mixed = said > timedelta(0) and (on_calendar or holds.unit == "d")
    return said + (_HOUR if mixed else timedelta(0)) >= over
