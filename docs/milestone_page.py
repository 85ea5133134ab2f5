"""Every milestone of the packaged protocols beside what it says and where it comes from."""

import re
from collections.abc import Iterator

from reminderd import resources
from reminderd.model import CareProtocol, CourseLead, Elapsed, Milestone, OnDays, Screening
from reminderd.protocols import ProtocolLibrary
from reminderd.render import Renderer

LANGUAGE = "en"
NOTED = ", ".join(each.replace("-", " ") for each in Screening)
# What a source asks for when a patient is taken in: for the staff, so no milestone tells it.
AT_ENROLMENT = {
    "mesotherapy-course": (
        "`enrol --screening`",
        "option",
        "screening",
        "at enrolment",
        f"Caution, ask the practitioner: {NOTED}.",
        "S2",
        "Staff note it and are warned; no message speaks of it.",
    )
}


def milestone_page() -> str:
    """The page `milestones.md`."""
    return "\n".join(_page())


def _page() -> Iterator[str]:
    library = ProtocolLibrary([resources.protocols_dir()])
    renderer = Renderer([resources.templates_dir()])
    yield "# Every milestone and where it comes from\n"
    yield "Written from `config/protocols/` and `templates/` by `make docs`. The instruction is the"
    yield "sentence that a patient reads in a message of several. Where the source is not exact,"
    yield "how it was read stands beside it. `T` is the instant of the session. What is for the"
    yield "staff when they take in a patient is an option of `enrol`, and stands last.\n"
    for key in sorted(library.keys()):
        yield from _protocol(library.find(key).protocol, renderer)


def _protocol(protocol: CareProtocol, renderer: Renderer) -> Iterator[str]:
    yield f"## {protocol.key}\n"
    sources = (f"**{short}** {title}" for short, title in sorted(protocol.sources.items()))
    yield f"{protocol.title}, revision {protocol.revision}. Sources: {'; '.join(sources)}.\n"
    yield "| milestone | kind | topics | when | instruction | source | read as |"
    yield "|---|---|---|---|---|---|---|"
    for each in protocol.milestones:
        yield _row(
            f"`{each.id}`",
            each.kind,
            ", ".join(sorted(each.topics)),
            _when(each),
            _instruction(each, renderer),
            each.source or "",
            each.note or "",
        )
    if protocol.key in AT_ENROLMENT:
        yield _row(*AT_ENROLMENT[protocol.key])
    yield ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _when(milestone: Milestone) -> str:
    holds = ""
    if milestone.holds:
        lasts = f"holds {milestone.holds}" if milestone.holds.amount else "until the treatment"
        holds = f", {lasts}"
    tags = f", only for {' or '.join(sorted(milestone.only_for))}" if milestone.only_for else ""
    return f"{_timing(milestone)}{holds}{tags}"


def _timing(milestone: Milestone) -> str:
    timing = milestone.timing
    if isinstance(timing, Elapsed):
        hours = timing.offset.total_seconds() / 3600
        return f"{abs(hours):g} h {'after' if hours > 0 else 'before'} T" if hours else "at T"
    if isinstance(timing, CourseLead):
        return f"{-timing.days} days before the next session is due, at {timing.at:%H:%M}"
    assert isinstance(timing, OnDays)
    first, last = timing.first, timing.last
    if first < 0:
        days = f"{-first} days before"
    else:
        days = f"day {first}" if first == last else f"days {first} to {last}"
    return f"{days} at {timing.at:%H:%M}"


def _instruction(milestone: Milestone, renderer: Renderer) -> str:
    """The sentence of its template; a date that the course gives is told as a date."""
    source = renderer.texts.get(LANGUAGE, milestone.template).source
    block = re.search(r"{% block line %}(.*?){% endblock %}", source, re.DOTALL)
    assert block is not None, f"{milestone.template} has a line"
    text = re.sub(r"{% if .*? %}.*?{% endif %}", "", block[1], flags=re.DOTALL)
    text = re.sub(r"{{ next_at \| date }}", "*date*", text)
    return " ".join(text.split()).replace(" .", ".")
