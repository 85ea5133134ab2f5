"""Texts that are missing, too long, or ask for what nobody reads are found."""

from dataclasses import replace
from pathlib import Path

import pytest

from reminderd.examination.nurse import SAMPLE_CLINIC
from tests.core.examining import ERROR, HINT, WARNING, examined, on, rule, text, written
from tests.core.protocol_file import milestone


def test_a_language_that_only_some_texts_have_is_named(tmp_path: Path) -> None:
    for language in ("en", "it"):
        text(tmp_path, "tip", "{{ patient.given_name }}, {{ clinic.name }}", language)
    path = written(tmp_path, milestone() + rule("sun", **on(1, "10:00")))
    found = [
        (each.severity, each.milestone, each.what.partition(", though")[0])
        for each in examined(path)
    ]
    assert found == [
        (WARNING, "tip", "there is no text in ar, de, es, fr, pt for tip"),
        (WARNING, "sun", "there is no text in it for spf"),
    ]


def test_a_language_in_which_nobody_is_written_to_is_a_hint(tmp_path: Path) -> None:
    text(tmp_path, "tip", "{{ patient.given_name }}, {{ clinic.name }}")
    path = written(tmp_path, milestone() + rule("sun", **on(1, "10:00")))
    found = [(each.severity, each.what[:32]) for each in examined(path, languages=("pt_BR",))]
    assert found == [
        (WARNING, "there is no text in pt for tip, "),
        (HINT, "there is no text in ar, de, es, "),
    ]


def test_a_text_that_nobody_wrote_is_an_error(tmp_path: Path) -> None:
    text(tmp_path, "tip", "{{ patient.given_name }}, {{ clinic.name }}", "it")
    path = written(tmp_path, milestone())
    assert [each.severity for each in examined(path)] == [ERROR]
    assert 'there is no text "tip" in en' in examined(path)[0].what
    assert examined(path, clinic=replace(SAMPLE_CLINIC, language="it")) == []


def test_texts_that_leave_together_need_one_language_for_all(tmp_path: Path) -> None:
    words = "{{ patient.given_name }}, {{ clinic.name }}"
    text(tmp_path, "one", words, "it")
    text(tmp_path, "two", words, "en")
    path = written(tmp_path, milestone(id="one"), milestone(id="two"))
    errors = [
        each
        for each in examined(path, clinic=replace(SAMPLE_CLINIC, language="it"))
        if each.severity is ERROR
    ]
    assert len(errors) == 1
    assert "one + two leave as one message, and neither it nor en has all" in errors[0].what


def test_a_language_that_patients_speak_and_nobody_wrote_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, rule("tip"))
    assert examined(path, languages=("pt_BR", "es", "en_GB")) == []
    found = examined(path, languages=("it",))
    assert [(each.severity, each.line) for each in found] == [(WARNING, 1)]
    assert 'there is no text in "it", the language of patients' in found[0].what


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("Reply YES if all is well, or call {{ clinic.phone }} or 112.", "asks for the reply YES"),
        ("How are you, from 1 to 5? Emergency: 112.", "lacks the clinic's phone"),
        ("How are you, from 1 to 5? Call {{ clinic.phone }}.", "lacks an emergency number"),
    ],
)
def test_a_check_in_asks_for_what_can_be_read_and_says_whom_to_call(
    tmp_path: Path, words: str, what: str
) -> None:
    text(tmp_path, "tip", words)
    found = examined(written(tmp_path, milestone(kind="check")))
    assert found
    assert {each.severity for each in found} == {WARNING}
    assert all(what in each.what for each in found)


def test_capital_letters_alone_ask_for_no_reply(tmp_path: Path) -> None:
    text(tmp_path, "tip", "Please STOP using retinol. INFO for {{ patient.given_name }}.")
    assert examined(written(tmp_path, milestone())) == []


@pytest.mark.parametrize(("name", "word", "count"), [
    ("_help", "STOP", 0), ("_help", "YES", 1), ("_safety", "STOP", 1),
])  # fmt: skip
def test_only_who_asks_who_writes_is_told_to_reply_stop(
    tmp_path: Path, name: str, word: str, count: int
) -> None:
    own = tmp_path / "templates" / "en" / f"{name}.j2"
    own.parent.mkdir(parents=True)
    own.write_text(f"{{% block sms %}}To end this, reply {word}.{{% endblock %}}")
    text(tmp_path, "tip", "For {{ patient.given_name }}.")
    assert len(examined(written(tmp_path, milestone()))) == count


@pytest.mark.parametrize(("letter", "letters"), [("a", 700), ("я", 600)])
def test_a_text_that_is_too_long_for_a_long_name_is_named(
    tmp_path: Path, letter: str, letters: int
) -> None:
    words = "{{ patient.given_name }} {{ clinic.name }} "
    path = text(tmp_path, "tip", words + letter * letters)
    found = [each for each in examined(written(tmp_path, milestone())) if "segments" in each.what]
    assert [(each.file, each.line, each.severity) for each in found] == [(str(path), 2, WARNING)]
    text(tmp_path, "tip", words + letter * (letters // 2))
    assert not [each for each in examined(written(tmp_path, milestone())) if "segm" in each.what]


@pytest.mark.parametrize(("block", "line"), [("sms", 2), ("email", 4)])
def test_a_text_that_cannot_be_written_is_found_whichever_channel_it_is_for(
    tmp_path: Path, block: str, line: int
) -> None:
    text(tmp_path, "tip", "Rest.")
    path = text(tmp_path, "tip", "Rest.", "fr")
    path.write_text(path.read_text().replace(f"{block} %}}", f"{block} %}}{{{{ clinic.fone }}}}"))
    (found,) = [each for each in examined(written(tmp_path, milestone())) if each.severity is ERROR]
    assert (found.file, found.line) == (str(path), line)
    assert found.what == "clinic has no fone; it has name, phone"


def test_a_bundle_that_is_too_long_is_named_where_it_really_falls_together(
    tmp_path: Path,
) -> None:
    for name in ("one", "two"):
        text(tmp_path, name, "{{ patient.given_name }} " + name[0] * 600)
    apart = milestone(id="one") + milestone(id="two", after="13h")
    assert not [each for each in examined(written(tmp_path, apart)) if " + " in each.what]
    together = milestone(id="one", quiet="ignore") + milestone(id="two", quiet="ignore")
    found = [each for each in examined(written(tmp_path, together)) if " + " in each.what]
    assert [(each.severity, each.milestone) for each in found] == [(WARNING, "one")]
    assert found[0].what.startswith('one + two takes 10 segments (GSM-7) as an SMS in "en"')
