"""Pages show what the program does, name everything that it can say, and lead somewhere."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from benchmarks.__main__ import MEASUREMENTS
from docs.console import filled
from docs.generate import told
from docs.pictures import IMAGES, PICTURES, letters, letters_in, screen
from reminderd.cli.enrol import command as enrol
from reminderd.explain import REASONS
from reminderd.model import Outcome, Reason, Screening, State
from reminderd.protocols import ProtocolLibrary
from reminderd.render import Item
from reminderd.resources import protocols_dir
from reminderd.roster import COLUMNS
from reminderd.vocabulary import ClinicWords, PatientWords, SessionWords

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
TOLD = told()

each_page = pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])


def text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def first_cells(page: str, heading: str = "") -> set[str]:
    """What stands in backticks at the beginning of a table row, below a heading if one is given."""
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0] if heading else page
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def anchors(page: Path) -> set[str]:
    """What a link may name after `#`, as GitHub makes it of headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


# Examples and pictures --------------------------------------------------------------------------


@pytest.mark.parametrize("page", TOLD, ids=[page.name for page in TOLD])
def test_every_example_answers_as_the_page_shows(page: Path) -> None:
    shown = page.read_text(encoding="utf-8")
    assert filled(shown) == shown, "run: make docs"


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_what_the_program_prints(name: str) -> None:
    drawn = (IMAGES / f"{name}.svg").read_text(encoding="utf-8")
    assert letters_in(drawn) == letters(screen(name).plain), "run: make pictures"


def test_no_picture_is_left_over() -> None:
    assert {each.stem for each in IMAGES.iterdir()} == set(PICTURES)


def test_a_picture_fetches_nothing_from_anywhere() -> None:
    for each in IMAGES.iterdir():
        svg = each.read_text(encoding="utf-8")
        assert not re.findall(r"url\(\W*http|href|@import", svg)


# Words ------------------------------------------------------------------------------------------


def test_every_state_of_a_reminder_is_explained_and_no_other() -> None:
    assert first_cells(text("how-it-decides.md"), "States") == set(State)


def test_every_reason_is_explained_and_no_other() -> None:
    assert first_cells(text("how-it-decides.md"), "Reasons") == set(Reason) == set(REASONS)


def test_every_outcome_of_an_attempt_is_explained_and_no_other() -> None:
    assert first_cells(text("sending.md"), "What the provider may say") == set(Outcome)


def test_every_column_of_a_patient_list_is_explained_and_no_other() -> None:
    assert first_cells(text("enrolling.md"), "A list") == set(COLUMNS)


def test_every_name_that_a_template_knows_is_explained_and_no_other() -> None:
    objects = {"patient": PatientWords, "clinic": ClinicWords, "session": SessionWords}
    known = {f"{name}.{part.name}" for name, kind in objects.items() for part in fields(kind)}
    known |= {part.name for part in fields(Item)} - {"reminder", "milestone", "session"}
    blocks, filters = {"line", "sms", "subject", "email"}, {"date", "time", "datetime"}
    assert first_cells(text("templates.md"), "One file") == known | blocks | filters


@pytest.mark.parametrize("key", ProtocolLibrary([protocols_dir()]).keys())
def test_every_packaged_milestone_stands_with_its_instruction_and_source(key: str) -> None:
    protocol = ProtocolLibrary([protocols_dir()]).find(key).protocol
    section = text("milestones.md").partition(f"\n## {key}\n")[2].partition("\n## ")[0]
    rows = {cells[0].strip("`"): cells for cells in _rows(section) if cells[1] != "option"}
    assert list(rows) == [each.id for each in protocol.milestones]
    for each in protocol.milestones:
        assert rows[each.id][4], "it has an instruction"
        assert rows[each.id][5] == each.source


def test_what_a_source_asks_at_enrolment_is_an_option_of_enrol_and_no_milestone() -> None:
    options = [cells for cells in _rows(text("milestones.md")) if cells[1] == "option"]
    ((name, _, topic, when, instruction, source, _),) = options
    assert (name, topic, when, source) == ("`enrol --screening`", "screening", "at enrolment", "S2")
    assert "--screening" in [option for each in enrol.params for option in each.opts]
    assert all(each.replace("-", " ") in instruction for each in Screening)
    assert "ask the practitioner" in instruction
    library = ProtocolLibrary([protocols_dir()])
    protocols = [library.find(key).protocol for key in sorted(library.keys())]
    assert not [each.id for one in protocols for each in one.milestones if topic in each.topics]


def _rows(section: str) -> list[list[str]]:
    return [line.split(" | ") for line in re.findall(r"^\| (`.*) \|$", section, re.MULTILINE)]


def test_every_measurement_is_described_and_no_other() -> None:
    assert first_cells(text("benchmarks.md")) == set(MEASUREMENTS)


# The house --------------------------------------------------------------------------------------


def test_every_file_and_drawer_has_its_word() -> None:
    package = ROOT / "reminderd"
    there = {each.name for each in package.glob("*.py")} - {"__init__.py"}
    there |= {f"{each.parent.name}/" for each in package.glob("*/__init__.py")}
    section = text("development.md").partition("\n## Which file for which word\n")[2]
    named = re.findall(r"`([\w/]+(?:\.py|/))`", section.partition("\n## ")[0])
    assert set(named) == there


def test_every_make_target_is_described_and_no_other() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets is not None
    described = first_cells(text("development.md"), "The commands")
    assert described == {f"make {target}" for target in targets[1].split()}


# The way through --------------------------------------------------------------------------------


def test_the_readme_names_the_two_commands_for_a_fresh_machine_and_no_other() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert [block.strip() for block in blocks] == ["make demo", "make test"]


def test_the_readme_leads_to_every_page() -> None:
    linked = set(re.findall(r"\(docs/([\w-]+\.md)", README.read_text(encoding="utf-8")))
    assert linked == {page.name for page in DOCS.glob("*.md")}


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []
