"""`init`: everything that a clinic starts from, written once and never overwritten."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import click

from reminderd import resources
from reminderd.cli.context import Desk, pass_desk


@click.command("init")
@click.argument(
    "folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path)
)
@pass_desk
def command(desk: Desk, folder: Path) -> None:
    """Write a configuration, protocols and templates to edit, and the database.

    Everything goes below DIR (the current folder unless given), so that reminderd finds it as
    config/reminderd.toml when it is called there. A file that exists is kept as it is.
    """
    config = folder / "config" / "reminderd.toml"
    _report(config, _write(config, (resources.config_dir() / "reminderd.toml").read_bytes()))
    counts = Counter(
        (target.parent, _write(target, source.read_bytes()))
        for source, target in _editable(config.parent)
    )
    for (place, written), count in counts.items():
        _report(f"{place}: {count} files", written)
    _create_database(config)
    click.echo(_next_commands(config, f"{desk.clock.now():%Y-%m-%d}T09:30"))


def _editable(config: Path) -> Iterator[tuple[Path, Path]]:
    """The packaged protocols and templates, each with the place of its copy."""
    for name, folder in (
        ("protocols", resources.protocols_dir()),
        ("templates", resources.templates_dir()),
    ):
        for source in sorted(each for each in folder.rglob("*") if each.is_file()):
            yield source, config / name / source.relative_to(folder)


def _write(target: Path, content: bytes) -> bool:
    """Write a new file; False where there is one already."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with target.open("xb") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def _create_database(config: Path) -> None:
    """Create the configured database, or bring it up to date."""
    from reminderd.bootstrap import engine, load_settings

    chosen = engine(load_settings(config, os.environ))
    for file in chosen.files:
        file.parent.mkdir(parents=True, exist_ok=True)
    _report(f"{chosen.where}, the database", chosen.prepare() is not None)


def _report(what: object, written: bool) -> None:
    click.echo(f"{'wrote' if written else 'kept '}  {what}")


def _next_commands(config: Path, at: str) -> str:
    folder = config.parent.parent
    go = "" if folder == Path() else f"  cd {folder}\n"
    return f"""
Edit {config}: your clinic, its phone number, zone and quiet hours.
Then:

{go}  reminderd check
  reminderd enrol --given-name Ana --phone "+34 600 000 001" --consent sms \\
      --protocol mesotherapy --at {at}
  reminderd run

Until you choose other transports, messages become files and nothing leaves this machine."""
