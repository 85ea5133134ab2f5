"""A stranger's transport is found and used like our own: the example of docs/transports.md, run."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "transports.md"

USE = """
import json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from reminderd import errors, transports
from reminderd.model import Channel, Message
found = transports.find("pigeon")
basket = Path(sys.argv[1])
transport = found(found.Settings(basket=basket))
message = Message(
    id="msg-7", channel=Channel.SMS, to="+34600123456", recipient_name="Ana Prueba",
    clinic_name="Alba Skin Clinic", language="en", subject=None, text="Fly well.", html=None,
    valid_for=timedelta(hours=1), at=datetime(2026, 3, 28, tzinfo=UTC),
)
try:
    transport.send(message)
except errors.Temporary as error:
    first = error.message
basket.mkdir()
print(json.dumps({
    "names": transports.names(),
    "first": first,
    "seen": transport.test(),
    "id": transport.send(message),
}))
"""


def example(language: str, containing: str) -> str:
    blocks = re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (found,) = [block for block in blocks if containing in block]
    return str(found)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The package of the docs, as an installer leaves it in a folder on the path."""
    described = tmp_path / "site" / "pigeon-1.0.dist-info"
    described.mkdir(parents=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon\nVersion: 1.0\n")
    (described.parent / "pigeon.py").write_text(example("python", "class Pigeon"))
    point = re.search(r'pigeon = "(.*?)"', example("toml", "entry-points"))
    assert point is not None
    entry = f"[reminderd.transports]\npigeon = {point[1]}\n"
    (described / "entry_points.txt").write_text(entry)
    return described.parent


def run(site: Path, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = f"import sys; sys.path[:0] = {[str(site), str(ROOT)]!r}\n"
    command = [sys.executable, "-c", path + code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_the_transport_of_the_docs_is_found_and_carries_a_message(
    site: Path, tmp_path: Path
) -> None:
    basket = tmp_path / "basket"
    done = run(site, USE, str(basket))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert "pigeon" in told.pop("names")
    assert told == {
        "first": "no basket at the loft",
        "seen": "the pigeons are ready",
        "id": "msg-7",
    }
    assert (basket / "msg-7").read_text() == "+34600123456\nFly well.\n"


def test_a_misspelt_name_is_answered_with_the_one_that_was_meant(site: Path) -> None:
    code = """
from reminderd import errors, transports
try:
    transports.find("pidgeon")
except errors.NotFound as error:
    print(error.message, error.remedy)
"""
    assert run(site, code).stdout == 'there is no transport "pidgeon" Did you mean pigeon?\n'


def test_two_packages_that_offer_one_name_are_refused(site: Path) -> None:
    other = site / "dove-1.0.dist-info"
    other.mkdir()
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: dove\nVersion: 1.0\n")
    (other / "entry_points.txt").write_text("[reminderd.transports]\npigeon = dove:Dove\n")
    done = run(site, "from reminderd import transports; transports.find('pigeon')")
    assert "more than one package offers it: dove:Dove, pigeon:Pigeon" in done.stderr


def test_a_package_that_does_not_load_is_named(site: Path) -> None:
    (site / "pigeon.py").write_text("import feathers\n")
    done = run(site, "from reminderd import transports; transports.find('pigeon')")
    assert "transports.pigeon: pigeon:Pigeon cannot be loaded" in done.stderr
