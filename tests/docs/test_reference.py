"""What the pages say is what the program does: no command, setting or key is left out."""

import re
from pathlib import Path

import pytest

from docs.generate import pages
from reminderd.protocol_format import CourseFormat, MilestoneFormat, ProtocolFormat
from reminderd.protocols import parse

FORMAT = (Path(__file__).parents[2] / "docs" / "protocol-format.md").read_text(encoding="utf-8")
PAGES = pages()


@pytest.mark.parametrize("path", PAGES, ids=[path.name for path in PAGES])
def test_a_generated_page_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == PAGES[path], "run: make docs"


@pytest.mark.parametrize("model", [ProtocolFormat, CourseFormat, MilestoneFormat])
def test_every_key_of_a_protocol_file_is_documented(model: type) -> None:
    documented = set(re.findall(r"^\| `(\w+)` \|", FORMAT, re.MULTILINE))
    assert documented >= set(model.model_fields)


def test_nothing_is_documented_that_a_protocol_file_cannot_say() -> None:
    schema = ProtocolFormat.model_json_schema()
    milestone = schema["$defs"]["MilestoneFormat"]["properties"]
    known = {*schema["properties"], *schema["$defs"]["CourseFormat"]["properties"], *milestone}
    known |= {*milestone["kind"]["enum"], *milestone["quiet"]["enum"]}
    assert set(re.findall(r"^\| `(\w+)` \|", FORMAT, re.MULTILINE)) == known


def test_the_example_of_a_protocol_file_is_one() -> None:
    example = re.search(r"```toml\n(.*?)```", FORMAT, re.DOTALL)
    assert example is not None
    assert parse(example[1], "gentle-facial.toml").milestone("no-shower") is not None
