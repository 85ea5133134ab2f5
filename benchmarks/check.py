"""How long `protocol check` takes for the packaged protocols, every minute and text of them."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.report import line, seconds


def run() -> None:
    """As a whole process without a configuration, output to a pipe."""
    program = Path(sys.executable).with_name("reminderd")
    environ = {key: value for key, value in os.environ.items() if key != "REMINDERD_CONFIG"}
    with tempfile.TemporaryDirectory() as folder:
        took = seconds(
            lambda: subprocess.run(
                [str(program), "protocol", "check"],
                check=True, capture_output=True, cwd=folder, env=environ,
            )
        )  # fmt: skip
    line("reminderd protocol check, all packaged", f"{took:.2f} s")
