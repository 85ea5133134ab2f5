"""Whatever is typed: help at once, every error in words, the right exit code, no traceback."""

import os
import pty
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reminderd import cli
from reminderd.cli.app import COMMANDS, app
from reminderd.cli.help_text import help_text
from reminderd.errors import Refused
from tests.cli.desk import Clinic, without_configuration


def call(*words: str, code: str = "from reminderd.cli import main; main()") -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *words], check=True, capture_output=True, text=True
    )
    return done.stdout


def test_help_is_answered_without_loading_even_click() -> None:
    code = "import sys; from reminderd.cli import main; main(); print('click' in sys.modules)"
    assert call("--help", code=code) == f"{help_text()}False\n"


def test_the_shipped_help_is_what_click_would_say() -> None:
    assert Path(cli.HELP).read_text(encoding="utf-8") == help_text()
    assert all(f"  {name} " in help_text() for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    command = import_module(f"reminderd.cli.{name}").command
    assert command.name == name
    assert command.help
    result = CliRunner().invoke(app, [name, "--help"], prog_name="reminderd")
    assert result.exit_code == 0, result.output
    assert f"Usage: reminderd {name}" in result.stdout


def test_a_command_that_does_not_exist_is_guessed(tmp_path: Path) -> None:
    result = without_configuration(tmp_path, "dmo")
    assert result.exit_code == 2
    assert 'there is no command "dmo"; did you mean "demo"?' in result.stderr


@pytest.mark.parametrize("words", [["--nonsense"], ["demo", "--nonsense"], ["preview"], ["plan"]])
def test_wrong_usage_is_2(tmp_path: Path, words: list[str]) -> None:
    result = without_configuration(tmp_path, *words)
    assert (result.exit_code, result.stdout) == (2, "")


def test_a_missing_configuration_is_78_and_says_what_next(tmp_path: Path) -> None:
    result = without_configuration(tmp_path, "config", "show")
    assert (result.exit_code, result.stdout) == (78, "")
    assert result.stderr.startswith("error: there is no configuration at config/reminderd.toml")
    assert "reminderd init" in result.stderr


def test_every_mistake_in_the_configuration_is_named_at_once(clinic: Clinic) -> None:
    text = clinic.config.read_text().replace("Europe/Madrid", "Europe/Madrit")
    clinic.config.write_text(text + "\n[extra]\n")
    result = clinic.types("config", "check")
    assert result.exit_code == 78
    assert result.stderr.startswith("error: 2 mistakes:\n")
    assert "clinics.main.timezone" in result.stderr
    assert "extra" in result.stderr


def failing(error: BaseException) -> click.Command:
    @click.command("demo")
    def command() -> None:
        raise error

    return command


def fail(monkeypatch: pytest.MonkeyPatch, error: BaseException, *options: str) -> tuple[int, str]:
    monkeypatch.setattr(import_module("reminderd.cli.demo"), "command", failing(error))
    result = CliRunner().invoke(app, [*options, "demo"], prog_name="reminderd")
    return result.exit_code, result.stderr


def test_an_error_on_purpose_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    error = Refused("there is no consent", remedy="Ask for it.")
    assert fail(monkeypatch, error) == (5, "error: there is no consent\nAsk for it.\n")


def test_an_accident_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "reminderd failed unexpectedly: KeyError: 'x'; run again with --debug\n"
    assert fail(monkeypatch, KeyError("x")) == (1, said)


def test_with_debug_it_is_shown_where(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = fail(monkeypatch, KeyError("x"), "--debug")
    assert code == 1
    assert said.startswith("Traceback")
    assert "test_frame.py" in said


def test_an_interruption_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fail(monkeypatch, KeyboardInterrupt()) == (130, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(tmp_path: Path, shell: str) -> None:
    result = without_configuration(tmp_path, "completion", shell)
    assert result.exit_code == 0
    assert "_REMINDERD_COMPLETE" in result.stdout


def test_commands_are_completed() -> None:
    environ = {
        "_REMINDERD_COMPLETE": "bash_complete",
        "COMP_WORDS": "reminderd sim",
        "COMP_CWORD": "1",
        "PYTHONPATH": str(Path(cli.HELP).parents[2]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "reminderd"], env=environ, check=True, capture_output=True, text=True
    )
    assert done.stdout == "plain,simulate\n"


def test_colour_is_for_terminals_that_want_it(clinic: Clinic) -> None:
    words = [sys.executable, "-m", "reminderd", "--config", str(clinic.config), "doctor"]
    for extra, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        environ = {"PYTHONPATH": str(Path(cli.HELP).parents[2]), "TERM": "xterm", **extra}
        assert (b"\x1b[" in on_a_terminal(words, environ)) is coloured
    assert "\x1b[" not in clinic.types("doctor").output


def on_a_terminal(words: list[str], environ: dict[str, str]) -> bytes:
    """What a command shows on a terminal of its own."""
    master, slave = pty.openpty()
    with subprocess.Popen(words, stdin=slave, stdout=slave, stderr=slave, env=environ) as process:
        os.close(slave)
        shown = b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:
            pass  # Linux says so that the other end is closed
        process.wait()
    os.close(master)
    return shown


def test_a_reader_who_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    environ = {"PYTHONPATH": str(Path(cli.HELP).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-m", "reminderd", "demo"], env=environ, cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    "words",
    [
        ["{}"],
        ["patient", "show", "{}"],
        ["patient", "erase", "{}", "--by", "Ana", "--yes"],
        ["patient", "export", "{}"],
        ["patient", "edit", "A-1", "--timezone", "{}"],
        ["session", "show", "{}"],
        ["session", "add", "A-1", "--protocol", "{}", "--at", "{}"],
        ["session", "adjust", "ses-1", "{}", "--off", "--why", "because"],
        ["session", "adjust", "ses-1", "no-shower", "--holds", "{}", "--why", "because"],
        ["session", "adjust", "ses-1", "massage", "--at", "{}", "--why", "because"],
        ["reminder", "show", "{}"],
        ["plan", "{}", "--at", "2026-03-28T09:30"],
        ["plan", "mesotherapy", "--at", "2026-03-28T09:30", "--quiet", "{}"],
        ["plan", "mesotherapy", "--at", "2026-03-28T09:30", "--timezone", "{}"],
        ["preview", "{}"],
        ["protocol", "approve", "{}", "--by", "Dr. Lund"],
        ["protocol", "show", "mesotherapy", "--format", "md", "--clinic", "{}"],
        ["report", "--from", "{}"],
        ["report", "--protocol", "{}"],
        ["transport", "test", "{}"],
    ],
)
def test_what_was_pasted_by_mistake_is_not_thrown_back_whole(
    clinic: Clinic, words: list[str]
) -> None:
    clinic.enrols()
    refused = clinic.types(*(each.format("x" * 5000) for each in words))
    assert refused.exit_code in (2, 4)
    assert "x" * 39 + "…" in refused.stderr
    assert "x" * 41 not in refused.stderr
