"""Write `help.txt`, with which a bare `--help` is answered: python -m reminderd.cli.help_text"""

from pathlib import Path

from reminderd.cli import HELP
from reminderd.cli.app import app


def help_text() -> str:
    """What click would answer to `reminderd --help` on a terminal of 80 columns."""
    context = app.make_context("reminderd", [], resilient_parsing=True, terminal_width=80)
    return context.get_help() + "\n"


if __name__ == "__main__":
    Path(HELP).write_text(help_text(), encoding="utf-8")
