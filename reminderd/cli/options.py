"""What people type after an option, read by the house's own readers: a mistake is wrong usage."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from reminderd.render import Renderer

Value = TypeVar("Value")

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
preview = click.option(
    "--preview", is_flag=True, help="Show what it would change, and change nothing."
)


def read(option: str, reader: Callable[[str], Value], text: str) -> Value:
    """What `reader` makes of `text`; its ValueError becomes wrong usage of `option` (exit 2)."""
    try:
        return reader(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=option) from error


def read_at(option: str, text: str, zone: str) -> datetime:
    """An instant in UTC; without an offset it is local time in `zone`."""
    from reminderd.entries import read_instant

    return read(option, lambda typed: read_instant(typed.strip(), zone), text)


def read_bound(option: str, text: str, zone: str) -> datetime:
    """As `read_at`; a date alone is the beginning of that day, for ranges are spoken of in days."""
    from reminderd.entries import read_day, read_instant

    def bound(typed: str) -> datetime:
        is_day = typed.count("-") == 2 and len(typed) == len("2026-03-28")
        return read_day(typed, zone) if is_day else read_instant(typed, zone)

    return read(option, bound, text.strip())


def read_language(texts: "Renderer", wanted: str) -> str:
    """A language, or a region of one, that has templates; in its normal form, such as `pt_BR`."""
    from reminderd.entries import unknown
    from reminderd.texts import normal_tag

    def known(tag: str) -> str:
        normal = normal_tag(tag)
        languages = texts.texts.languages()
        if normal not in languages and normal.partition("_")[0] not in languages:
            raise ValueError(unknown(tag, "language of the templates", languages))
        return normal

    return read("--language", known, wanted)
