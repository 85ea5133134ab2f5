"""`db encrypt` and `db decrypt`: the database goes over to a key, to another one, or to none."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from reminderd.cli.context import Desk
from reminderd.errors import ConfigurationError, InvalidInput

if TYPE_CHECKING:
    from reminderd.engine import Resealed
    from reminderd.sealing import Seal

PARTLY_DONE = 3
KEEP_IT = (
    "Keep a copy of the key apart from the database and its backups: without it nobody reads them."
)


class Wanted(NamedTuple):
    """From which key to which; None is: not encrypted. `then` is for people to do."""

    old: "Seal | None"
    new: "Seal | None"
    then: str


def encrypt(desk: Desk, new_key_file: Path | None, *, as_json: bool) -> None:
    """Go over to the configured key, or from it to the one in a file."""
    seal = _configured(desk)
    if new_key_file is None:
        _go_over(desk, Wanted(None, seal, KEEP_IT), as_json=as_json)
    else:
        then = f"Configure the key in {new_key_file} now: until then every command refuses."
        _go_over(desk, Wanted(seal, _seal_in(new_key_file), f"{then}\n{KEEP_IT}"), as_json=as_json)


def decrypt(desk: Desk, *, as_json: bool) -> None:
    """Go over from the configured key to none."""
    then = "Take encryption_key out of the configuration now: until then every command refuses."
    _go_over(desk, Wanted(_configured(desk), None, then), as_json=as_json)


def _configured(desk: Desk) -> "Seal":
    from reminderd.sealing import MAKE_ONE

    seal = desk.settings.seal
    if seal is None:
        raise ConfigurationError(
            [f"{desk.settings.path}: database.encryption_key is not given"],
            remedy=f"Give encryption_key_file in [database]; {MAKE_ONE}",
        )
    return seal


def _seal_in(file: Path) -> "Seal":
    from reminderd.sealing import Seal, read_key

    try:
        return Seal(read_key(file.read_text("utf-8")), str(file))
    except OSError as error:
        raise InvalidInput(f"{file}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInput(f"{file}: the key {error}") from None


def _go_over(desk: Desk, wanted: Wanted, *, as_json: bool) -> None:
    """Change what has to be changed, say it; exits with 3 where the file could not be cleaned."""
    from reminderd.cli import output

    engine, key = desk.engine, None if wanted.new is None else wanted.new.key_id
    done = engine.reseal(wanted.old, wanted.new)
    if as_json:
        facts = {"key": key, "changed": done.changed, "file_is_clean": done.is_clean}
        output.emit({**facts, "copies": done.copies})
    else:
        _tell(engine.where, key, done)
        output.note(wanted.then)
    if not done.is_clean:
        output.note(
            "Another process uses the database: how it was may still lie in its file. "
            "Run the same again."
        )
        click.get_current_context().exit(PARTLY_DONE)


def _tell(where: str, key: str | None, done: "Resealed") -> None:
    state = "is not encrypted" if key is None else f"is encrypted with the key {key}"
    click.echo(f"{where} {state}{'' if done.changed else ' already'}")
    for copy in done.copies:
        click.echo(f"not changed: {copy}; delete it if it is not needed")
