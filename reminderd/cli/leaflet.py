"""`protocol show --format html|md`: a protocol as a leaflet to print and hand over."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from reminderd.cli.context import Desk
from reminderd.cli.options import read, read_at, read_language
from reminderd.cli.output import note

if TYPE_CHECKING:
    from reminderd.leaflet_page import LeafletPage
    from reminderd.model import Clinic
    from reminderd.timing import Treatment


@dataclass(frozen=True)
class Wishes:
    """What was typed about the leaflet; None where it was not."""

    language: str | None
    at: str | None
    timezone: str | None
    clinic: str | None
    tags: tuple[str, ...]

    def refuse(self) -> None:
        """Where no leaflet is printed, nothing can be wished of it; raises UsageError."""
        for name, value in vars(self).items():
            if value:
                said = "tag" if name == "tags" else name
                raise click.UsageError(f"--{said} is for --format html and --format md")


def print_leaflet(desk: Desk, name: str, wishes: Wishes, *, as_html: bool) -> None:
    """The leaflet of a protocol on stdout; in which language on stderr, where it is another."""
    page = _page(desk, name, wishes)
    click.echo((page.html if as_html else page.markdown).encode(), nl=False)


def _page(desk: Desk, name: str, wishes: Wishes) -> "LeafletPage":
    from reminderd.bootstrap import renderer
    from reminderd.errors import InvalidInput
    from reminderd.leaflet_page import page
    from reminderd.texts import normal_tag

    texts = renderer(desk.settings_if_any)
    clinic = _clinic(desk, wishes)
    wanted = read_language(texts, wishes.language or clinic.language)
    treatment = _treatment(desk, name, wishes, clinic.timezone)
    try:
        made = page(texts, treatment, clinic, wanted, dated=wishes.at is not None)
    except OverflowError as error:
        raise InvalidInput("that lies too far away to be printed") from error
    if made.language not in (wanted, normal_tag(wanted).partition("_")[0]):
        note(f"{wanted} lacks a text of this leaflet: it is in {made.language}.")
    return made


def _clinic(desk: Desk, wishes: Wishes) -> "Clinic":
    """The named clinic or the first; without a configuration, its name is left to be filled in."""
    from reminderd.dates import BLANK
    from reminderd.entries import read_timezone
    from reminderd.sample import CLINIC

    if wishes.clinic is not None:
        clinic = desk.settings.clinic(wishes.clinic, lambda _: False)
    else:
        unknown = replace(CLINIC, name=BLANK, phone=BLANK, timezone="UTC")
        clinic = desk.clinic_if_any or unknown
    if wishes.timezone is None:
        return clinic
    return replace(clinic, timezone=read("--timezone", read_timezone, wishes.timezone))


def _treatment(desk: Desk, name: str, wishes: Wishes, zone: str) -> "Treatment":
    """The session that the leaflet is for; where none was named, one whose dates nobody sees."""
    from reminderd.entries import read_tags
    from reminderd.leaflet import treatment_of
    from reminderd.model import Session
    from reminderd.sample import SESSION_AT

    protocol = desk.protocol(name)
    at = read_at("--at", wishes.at, zone) if wishes.at else SESSION_AT
    tags = read("--tag", read_tags, ";".join(wishes.tags))
    session = Session(None, protocol.key, protocol.revision, at, at, tags=tags)
    return treatment_of(protocol, session, zone)
