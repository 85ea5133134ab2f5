"""The command line: what people type, and what they are told. No decision is made here."""

import os
import sys

HELP = os.path.join(os.path.dirname(__file__), "help.txt")


def main() -> None:
    """The `reminderd` command; a bare `--help` is answered without loading anything."""
    if sys.argv[1:] in (["--help"], ["-h"]):
        with open(HELP, encoding="utf-8") as page:
            sys.stdout.write(page.read())
        return
    from reminderd.cli.app import app

    app.main(prog_name="reminderd")
