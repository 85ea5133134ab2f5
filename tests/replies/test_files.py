"""The packaged files of rules and words are whole; a mistake in one is told with its line."""

import json
import re
from pathlib import Path

import pytest

from reminderd.errors import FaultsFound
from reminderd.replies import files, format
from reminderd.replies.reading import read
from reminderd.replies.words import RED_FLAGS, Meaning
from reminderd.resources import replies_dir

PACKAGED = replies_dir()
BOOK = files.read_rules(PACKAGED / "rules.toml")
LANGUAGES = ("ar", "de", "en", "es", "fr", "pt")


def words(**lists: list[str]) -> str:
    """A file of words for English: each list holds one word, but for those that are given."""
    wanted = {name: [f"word{place}"] for place, name in enumerate(BOOK.lists())}
    lines = [f"{name} = {json.dumps(each)}" for name, each in {**wanted, **lists}.items()]
    return "\n".join(['language = "en"', "[numbers]", "one = 1", "[words]", *lines])


def faults(text: str) -> list[str]:
    with pytest.raises(FaultsFound) as found:
        files.parse_language(text, "en.toml", BOOK)
    return [re.sub(r"^en\.toml:\d+: ", "", each) for each in found.value.faults]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_packaged_language_has_every_list(language: str) -> None:
    found = files.read_language(PACKAGED / f"{language}.toml", BOOK)
    assert set(found.words) == set(BOOK.lists())
    assert all(found.words.values())


def test_every_rule_names_a_document_or_the_providers_or_the_clinic() -> None:
    red_flags = {rule.source for rule in BOOK.rules if rule.meaning in RED_FLAGS}
    assert red_flags == {"S1", "S4"}
    assert {rule.source for rule in BOOK.rules} == {"S1", "S4", "provider", "clinic"}
    assert all(rule.note for rule in BOOK.rules if rule.source == "S1")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_language_lets_a_yes_start_messages_again(language: str) -> None:
    start = files.read_language(PACKAGED / f"{language}.toml", BOOK).words["start"]
    assert not {"yes", "sí", "si", "oui", "sim", "ja", "نعم", "ok"} & set(start)


def test_the_words_on_which_providers_act_are_all_known() -> None:
    english = files.read_language(PACKAGED / "en.toml", BOOK).words
    assert {"stop", "stopall", "unsubscribe", "cancel", "end", "quit"} <= set(english["stop"])
    assert {"help", "info"} <= set(english["help"])


@pytest.mark.parametrize(
    ("name", "schema"), [("rules", format.rules_schema()), ("words", format.words_schema())]
)
def test_the_packaged_schema_is_the_one_of_the_program(name: str, schema: object) -> None:
    shipped = json.loads((PACKAGED / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert shipped == schema


@pytest.mark.parametrize("path", sorted(PACKAGED.glob("*.toml")), ids=lambda path: path.stem)
def test_packaged_files_name_their_schema_for_editors(path: Path) -> None:
    schema = "rules" if path.stem == "rules" else "words"
    assert path.read_text(encoding="utf-8").startswith(f"#:schema ./{schema}.schema.json\n")


def test_a_clinics_own_file_takes_the_place_of_the_packaged_one(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text(words(fever=["lava"]), encoding="utf-8")
    rules = files.load([tmp_path, PACKAGED])
    assert rules.languages == LANGUAGES
    assert read("lava", rules).meaning is Meaning.URGENT
    assert read("shivering", rules).meaning is Meaning.UNCLEAR
    assert read("fiebre", rules).meaning is Meaning.URGENT


def test_a_list_that_is_missing_or_unknown_is_told() -> None:
    text = words().replace("fever = ", "fevers = ")
    assert faults(text) == [
        "words.fever: is required: the rules need it",
        'words.fevers: is not a known key; did you mean "fever"?',
    ]


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    text = words(fever=["hot", "hot", "!", "f*", "fe*ver"], pus=[], rash=["rash", 3])  # type: ignore[list-item]
    text = text.replace("one = 1", "one = 6").replace('language = "en"', 'language = "fr"')
    with pytest.raises(FaultsFound) as found:
        files.parse_language(text, "en.toml", BOOK)
    told = "\n".join(found.value.faults)
    assert 'en.toml:1: language: "fr" must equal the name of the file, "en"' in told
    assert "en.toml:3: numbers.one: must be at most 5" in told
    for mistake in (
        'words.fever[2]: "hot" is there twice',
        'words.fever[3]: "!" holds no word',
        'words.fever[4]: "f*" has a * that is not at the end of a word of at least 3 letters',
        'words.fever[5]: "fe*ver" has a *',
        "words.pus: needs at least 1",
        "words.rash[2]: must be text in quotes",
    ):
        assert mistake in told


def test_mistakes_in_all_files_of_a_clinic_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_text(words(fever=[]), encoding="utf-8")
    (tmp_path / "it.toml").write_bytes(b"language = 'it'\n\xff")
    with pytest.raises(FaultsFound) as found:
        files.load([tmp_path, PACKAGED])
    first, second = found.value.faults
    assert first.startswith(f"{tmp_path}/en.toml:")
    assert second == f"{tmp_path}/it.toml:2: is not UTF-8 text"


def test_a_rule_without_words_or_with_an_unknown_source_is_told() -> None:
    text = """
exact = ["nothing"]
[sources]
S1 = "A leaflet"
[[rules]]
id = "fever"
meaning = "urgent"
says = "fever"
source = "S2"
[[rules]]
id = "fever"
meaning = "urgent"
says = "fever"
source = "S1"
when = [["fever"]]
"""
    with pytest.raises(FaultsFound) as found:
        files.parse_rules(text, "rules.toml")
    assert found.value.faults == (
        'rules.toml:2: exact[1]: "nothing" is a list that no rule names',
        'rules.toml:5: rules[1].when: is missing, or "begins", or "whole"',
        'rules.toml:9: rules[1].source: "S2" is not one of the sources',
        'rules.toml:11: rules[2].id: "fever" is the id of another rule',
    )
