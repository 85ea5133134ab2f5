"""Templates in a folder, and what a patient gets of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reminderd.model import Channel, Clinic, Patient, Session
from reminderd.render import Composed, Item, Renderer
from reminderd.sample import CLINIC, PATIENT, item_of

AT = datetime(2026, 3, 28, 13, 30, tzinfo=UTC)  # a Saturday, 14:30 in Madrid
BUNDLE = """\
{% block sms %}
{{ patient.given_name }}:{% for line in lines %} {{ line.text }}{% endfor %}{% endblock %}
{% block subject %}Several{% endblock %}
{% block email %}
{% for line in lines %}
- {{ line.text }}
{% endfor %}
{% endblock %}
"""


def page(
    line: str = "One line.", sms: str = "Text.", subject: str = "Subject", email: str = "Mail."
) -> str:
    blocks = {"line": line, "sms": sms, "subject": subject, "email": email}
    return "".join(f"{{% block {name} %}}{text}{{% endblock %}}\n" for name, text in blocks.items())


def write(folder: Path, **templates: str) -> Path:
    """`write(folder, en__care=…)` writes `folder/en/care.j2`."""
    for key, text in templates.items():
        language, name = key.split("__")
        path = folder / language / f"{name}.j2"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def item(template: str = "care", reminder_id: int = 7, **known: Any) -> Item:
    made = item_of(template)
    session = Session(1, "sample", 1, AT, AT, id=1, area="face")
    bare = replace(made, day=None, days=None, until=None, next_at=None, session=session)
    return replace(bare, reminder=made.reminder._replace(id=reminder_id), **known)


def compose(
    folder: Path,
    items: Sequence[Item] | None = None,
    channel: Channel = Channel.SMS,
    patient: Patient = PATIENT,
    clinic: Clinic = CLINIC,
) -> Composed:
    return Renderer([folder]).compose(items or [item()], patient, clinic, channel)
