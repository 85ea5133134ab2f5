"""A mistake in a template is named with its file and line; whose file counts, and from when."""

from pathlib import Path

import pytest
from jinja2.sandbox import ImmutableSandboxedEnvironment

from reminderd import blocks
from reminderd.errors import TemplateFailed
from reminderd.model import Channel
from reminderd.proofread import check
from reminderd.render import Renderer
from reminderd.sample import CLINIC, LONGEST_NAME, PATIENT
from reminderd.texts import Texts
from reminderd.vocabulary import WORDS
from tests.core.pages import BUNDLE, compose, item, page, write

# Mistakes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sms", "says"),
    [
        ("{{ patient.family_name }}", "family_name"),
        ("{{ nobody }}", "nobody"),
        ("{{ range(3) }}", "range"),
        ("{{ until }}", "no value here"),
        ("{{ session.at }}", "through a filter"),
        ("{{ until | date }}", "expected an instant"),
        ("{{ patient }}", "name one of its parts"),
        ("{{ session.at._local }}", "_local"),
        ("{{ patient.__class__ }}", "unsafe"),
        ("{{ 1 / 0 }}", "division"),
        ("  \n ", "empty"),
        ("{{ day", "end of"),
        ("{{ day | shout }}", "shout"),
    ],
)
def test_a_template_that_fails_names_its_file_line_and_reminder(
    folder: Path, sms: str, says: str
) -> None:
    write(folder, en__care=page(sms=sms))
    with pytest.raises(TemplateFailed, match=says) as failed:
        compose(folder, [item(reminder_id=42)])
    assert failed.value.reminder_id == 42
    assert f"{folder / 'en' / 'care.j2'}:" in failed.value.message
    assert failed.value.remedy is not None


@pytest.mark.parametrize("words", sorted(WORDS, key=lambda each: each.__name__))
def test_of_what_templates_speak_nothing_is_open_that_jinja_would_close(words: type) -> None:
    one, jinja = object.__new__(words), ImmutableSandboxedEnvironment()
    for attr in dir(words):
        is_safe = blocks._environment().is_safe_attribute(one, attr, None)
        assert is_safe == jinja.is_safe_attribute(one, attr, None), attr


def test_the_line_of_a_mistake_is_the_templates_own(folder: Path) -> None:
    write(folder, en__care=page(sms="\n\nHello\n{{ patient.age }}\n"))
    with pytest.raises(TemplateFailed, match=r"care\.j2:5: en/care, block sms: .*age"):
        compose(folder)


def test_in_a_bundle_the_reminder_to_blame_is_named(folder: Path) -> None:
    write(folder, en__care=page(), en__bad=page(line="{{ oops }}"), en___bundle=BUNDLE)
    with pytest.raises(TemplateFailed) as failed:
        compose(folder, [item("care", 1), item("bad", 2)])
    assert failed.value.reminder_id == 2


def test_a_template_that_is_nowhere_is_missed_by_name(folder: Path) -> None:
    write(folder, en__care=page(), en___bundle=BUNDLE)
    with pytest.raises(TemplateFailed, match='no template "gone" in en') as failed:
        compose(folder, [item("care", 1), item("gone", 2)])
    assert failed.value.reminder_id == 2


def test_a_missing_bundle_blames_no_reminder(folder: Path) -> None:
    write(folder, en__care=page())
    with pytest.raises(TemplateFailed, match="_bundle") as failed:
        compose(folder, [item("care", 1), item("care", 2)])
    assert failed.value.reminder_id is None


def test_check_reports_every_mistake_of_every_file_at_once(folder: Path) -> None:
    write(folder, en___bundle=BUNDLE, en__care=page(), es__care=page(sms="\n{{ nobody }}"))
    write(
        folder,
        en__names="{% if day %}\n{{ patient.age }}{% endif %}" + page(line="{{ one }} {{ two }}"),
        en__broken="{% block sms %}",
        en__part="{% block sms %}x{% endblock %}",
        en__other="{% include 'care' %}" + page(),
        en__long="{# long #}\n" + page(sms="word " * 140),
        en__blank=page(subject=" "),
    )
    found = check(Renderer([folder]), [])

    def said(name: str) -> list[str]:
        return [fault.partition(".j2:")[2] for fault in found if f"/{name}.j2:" in fault]

    assert [fault.split(" is not")[0] for fault in said("names")] == [
        "2: one",
        "2: patient has no age; it has given_name",
        "2: two",
    ]
    assert [fault[:2] for fault in said("broken")] == ["1:"]
    assert said("part") == [
        f"1: the block {name} is missing" for name in ("email", "line", "subject")
    ]
    assert said("other") == ["1: a template stands alone and cannot use another file"]
    assert said("long") == [
        f"3: warning: the SMS takes 5 segments (GSM-7) to {LONGEST_NAME}; 4 are plenty"
    ]
    assert said("blank") == ["1: en/blank, block subject: the block is empty"]
    assert [fault[:10] for fault in said("care")] == ["3: nobody "]
    assert said("_bundle") == []


# Files --------------------------------------------------------------------------------------------


def test_the_sites_file_wins_over_the_packaged_one(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours", en__care=page(sms="Ours"), en__rest=page(sms="Rest"))
    site = write(tmp_path / "site", en__care=page(sms="Site"))
    renderer = Renderer([site, ours])
    assert renderer.compose([item()], PATIENT, CLINIC, Channel.SMS).text == "Site"
    assert renderer.compose([item("rest")], PATIENT, CLINIC, Channel.SMS).text == "Rest"
    assert [
        (text.name, text.path.parent.parent.name) for text in renderer.texts.list_templates()
    ] == [
        ("care", "site"),
        ("rest", "ours"),
    ]


def test_a_folder_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    ours = write(tmp_path / "ours", en__care=page())
    assert Renderer([tmp_path / "nowhere", ours]).texts.languages() == ("en",)


def test_the_digest_covers_every_language_and_the_bundle_and_nothing_else(folder: Path) -> None:
    write(folder, en__care=page(), es__care=page(), en__rest=page(), en___bundle=BUNDLE)
    before = Texts([folder]).digest(["care"])
    write(folder, en__rest=page("Else."))
    assert Texts([folder]).digest(["care"]) == before
    for change in ("en__care", "es__care", "en___bundle", "fr__care"):
        write(folder, **{change: page("Changed.")})
        after = Texts([folder]).digest(["care"])
        assert after != before
        before = after


def test_what_was_read_stays_until_the_next_reload(folder: Path) -> None:
    write(folder, en__care=page(sms="Before"))
    renderer = Renderer([folder])
    write(folder, en__care=page(sms="After"))
    assert renderer.compose([item()], PATIENT, CLINIC, Channel.SMS).text == "Before"
