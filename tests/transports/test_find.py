"""Transports are found by name, and nothing heavy is loaded before it is needed."""

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from reminderd import transports
from reminderd.errors import NotFound
from reminderd.model import Channel

DECLARED = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"][
    "entry-points"
][transports.GROUP]


@pytest.fixture(autouse=True)
def only_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry points that pyproject.toml declares, whatever is installed here."""
    points = [EntryPoint(name, value, transports.GROUP) for name, value in DECLARED.items()]
    monkeypatch.setattr(transports, "_entry_points", lambda: points)


def test_our_own_are_there() -> None:
    assert transports.names() == ["console", "file", "smtp", "twilio"]


@pytest.mark.parametrize(
    ("name", "channels", "leaves"),
    [
        ("console", {Channel.SMS, Channel.EMAIL}, False),
        ("file", {Channel.SMS, Channel.EMAIL}, False),
        ("smtp", {Channel.EMAIL}, True),
        ("twilio", {Channel.SMS}, True),
    ],
)
def test_each_says_what_it_carries_and_whether_it_leaves(
    name: str, channels: set[Channel], leaves: bool
) -> None:
    found = transports.find(name)
    assert found.channels == channels
    assert found.leaves_machine is leaves


@pytest.mark.parametrize("name", sorted(DECLARED))
def test_every_setting_is_described_and_unknown_ones_are_refused(name: str) -> None:
    schema = transports.find(name).Settings.model_json_schema()
    assert schema["additionalProperties"] is False
    for key, field in schema.get("properties", {}).items():
        assert field.get("description"), key


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [("twillio", "Did you mean twilio?"), ("x", "There are: console, file, smtp, twilio.")],
)
def test_an_unknown_name_is_answered_with_what_there_is(wrong: str, hint: str) -> None:
    with pytest.raises(NotFound) as caught:
        transports.find(wrong)
    assert caught.value.remedy == hint


def test_the_vendors_client_is_not_loaded_before_the_first_message() -> None:
    code = (
        "import sys, reminderd.transports; assert 'importlib.metadata' not in sys.modules\n"
        "import reminderd.transports.twilio\n"
        "assert not {'twilio', 'requests'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-S", "-c", _with_path(code)], check=True, timeout=30)


def _with_path(code: str) -> str:
    return f"import sys; sys.path[:] = {sys.path!r}\n{code}"
