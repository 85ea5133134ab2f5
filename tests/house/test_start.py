"""The command line starts without what only some commands need."""

import json
import subprocess
import sys

EXPENSIVE = (
    "apscheduler", "babel", "cryptography", "email_validator", "icalendar", "jinja2", "markdown_it",
    "phonenumbers", "prometheus_client", "pydantic", "rich", "sqlite_utils", "starlette", "twilio",
    "uvicorn",
)  # fmt: skip


def test_the_command_line_starts_without_what_only_some_commands_need() -> None:
    loaded = f"[name for name in {EXPENSIVE} if name in sys.modules]"
    code = f"import json, sys, reminderd.cli; print(json.dumps({loaded}))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) == []
