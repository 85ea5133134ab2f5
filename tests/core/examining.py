"""Protocol files and texts to look into, and what `protocol check` finds in them."""

from datetime import UTC, datetime
from pathlib import Path

from reminderd import protocols
from reminderd.examination.nurse import SAMPLE_CLINIC, Examination
from reminderd.findings import Remark, Severity
from reminderd.model import Clinic
from reminderd.render import Renderer
from reminderd.resources import templates_dir
from tests.core.protocol_file import HEAD, milestone

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ERROR, WARNING, HINT = Severity.ERROR, Severity.WARNING, Severity.HINT


def examined(
    path: Path, *, clinic: Clinic = SAMPLE_CLINIC, languages: tuple[str, ...] | None = None
) -> list[Remark]:
    """What is found in a protocol file; texts beside it, in `templates`, win."""
    renderer = Renderer([path.parent / "templates", templates_dir()])
    return Examination([clinic], renderer, NOW, languages).of(protocols.read(path))


def written(folder: Path, *milestones: str, head: str = HEAD) -> Path:
    path = folder / "care.toml"
    path.write_text(head + "".join(milestones), encoding="utf-8")
    return path


def text(folder: Path, name: str, words: str, language: str = "en") -> Path:
    """A template whose every block says the same."""
    path = folder / "templates" / language / f"{name}.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = ("line", "sms", "subject", "email")
    path.write_text(
        "".join(f"{{% block {each} %}}{words}{{% endblock %}}\n" for each in blocks), "utf-8"
    )
    return path


def rule(id: str, **values: object) -> str:
    """A milestone with the words of `spf`, unless others are given."""
    return milestone(**{"id": id, "template": "spf", **values})


def no(id: str = "no-heat", **values: object) -> str:
    """A restriction of 48 hours on heat, from the treatment on."""
    given = {"kind": "restriction", "topics": ["heat"], "holds": "48h", "expires": None}
    return rule(id, **{**given, "quiet": "ignore", **values})


def again(id: str = "heat-again", **values: object) -> str:
    """The all-clear for heat, when it is time."""
    given = {"kind": "release", "topics": ["heat"], "after": "48h", "expires": "2d"}
    return rule(id, **{**given, **values})


def on(day: int | list[int], at: str, **values: object) -> dict[str, object]:
    """Timing by the calendar."""
    return {"after": None, "day" if isinstance(day, int) else "days": day, "at": at, **values}
