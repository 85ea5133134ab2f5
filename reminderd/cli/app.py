"""The root command: which commands there are, and how every error reaches a person.

A command lives in the module of its name, as `command`, and is loaded when it is called for.
"""

import os
from errno import EDQUOT, ENOSPC
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.exceptions import Exit

from reminderd import __version__
from reminderd.cli.context import Desk
from reminderd.errors import FaultsFound, ReminderdError, TryAgainLater, shown

COMMANDS = {
    "init": "Write a configuration, protocols and templates to edit, and the database.",
    "demo": "See the main job on sample patients; nothing leaves the machine.",
    "run": "Send what falls due: the daemon.",
    "enrol": "Take in a patient, the consent and a session in one step.",
    "patient": "Patients: add, import, list, show, edit, pause, resume, consent, export, erase.",
    "session": "Sessions: add, done, move, cancel, list, show, adjust.",
    "plan": "Show what would be sent when, and why.",
    "preview": "Show the texts of a protocol or a template.",
    "simulate": "Let the daemon's days pass on a copy of the database.",
    "today": "Show what goes out today, and what waits for a person.",
    "status": "Show how things stand.",
    "alerts": "Who at the clinic is told what cannot wait: test.",
    "inbox": "What patients wrote: list, show, explain, done, silent.",
    "incident": "Red flags that need a person: list, show, ack, close.",
    "release": "Let sending go on where it is held.",
    "report": "Show figures, and who is overdue for the next session.",
    "reminder": "Reminders: list, show, explain, cancel, retry, resolve.",
    "protocol": "Protocols: list, show, check, approve, diff, migrate.",
    "template": "Templates: list, check.",
    "transport": "Transports: list, test.",
    "config": "The configuration: show, check, schema.",
    "check": "Find everything that would stop a message, all at once.",
    "audit": "Show who did what to whom, and whether that record is whole.",
    "db": "The database: check, backup, restore, migrate, copy, prune, encrypt.",
    "doctor": "Look at this machine: versions, database, permissions, clock.",
    "completion": "Print the script that completes commands in your shell.",
}


class Application(click.Group):
    """The commands by name, in the order of the table above."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"reminderd.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if not ctx.resilient_parsing and args and args[0] not in COMMANDS:
            ctx.fail(f"there is no command {shown(args[0])}{_closest(args[0][:100])}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and one line each, without loading the commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, Exit, BrokenPipeError):
            raise
        except (KeyboardInterrupt, click.Abort):
            raise Exit(130) from None
        except Exception as raised:
            error = _plain(raised)
            if ctx.params["debug"]:
                _show_where()
            _say(error)
            raise Exit(getattr(error, "exit_code", 1)) from raised


def _closest(word: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(word, COMMANDS, n=1)
    return f'; did you mean "{close[0]}"?' if close else ""


def _plain(error: Exception) -> Exception:
    """A disk without room, whichever file is written, is an error like any other of ours."""
    if isinstance(error, OSError) and error.errno in (ENOSPC, EDQUOT):
        return TryAgainLater(
            f"{error.filename or 'what is written'}: the disk is full",
            remedy="Make room on that disk and give the command again.",
        )
    return error


def _show_where() -> None:
    """The traceback, for whoever mends it: without numbers and mailboxes, as the log."""
    import traceback

    from reminderd.transports.privacy import redacted

    for line in traceback.format_exc().splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        click.echo(indent + redacted(line), err=True)


def _say(error: Exception) -> None:
    """What went wrong, where, and what to do next."""
    if not isinstance(error, ReminderdError):
        from reminderd.transports.privacy import redacted

        what = redacted(f"{type(error).__name__}: {error}".splitlines()[0])
        click.echo(f"reminderd failed unexpectedly: {what}; run again with --debug", err=True)
        return
    if isinstance(error, FaultsFound) and len(error.faults) > 1:
        click.echo(f"error: {len(error.faults)} mistakes:", err=True)
        click.echo(error.message, err=True)
    else:
        click.echo(f"error: {error.message}", err=True)
    if error.remedy:
        click.echo(error.remedy, err=True)


@click.group(
    cls=Application,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: reminderd demo",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The configuration; otherwise $REMINDERD_CONFIG, ./config/reminderd.toml, "
    "/etc/reminderd/reminderd.toml.",
)
@click.option("--debug", is_flag=True, help="Show where in the program an error came from.")
@click.version_option(__version__, prog_name="reminderd")
@click.pass_context
def app(ctx: click.Context, config: Path | None, debug: bool) -> None:
    """Aftercare reminders by SMS and email, each at the right minute."""
    os.umask(0o077)
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    desk = ctx.ensure_object(Desk)
    desk.config_path = config
