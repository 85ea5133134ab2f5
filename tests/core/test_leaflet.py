"""The leaflet of a protocol: all that the messages say, in the same words, with its dates."""

import re
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from html.parser import HTMLParser
from pathlib import Path
from shutil import copytree

import pytest
from markdown_it import MarkdownIt

from reminderd.dates import BLANK
from reminderd.durations import Duration
from reminderd.errors import TemplateFailed
from reminderd.leaflet import Form, Time, leaflet, treatment_of
from reminderd.leaflet_page import LeafletPage, page
from reminderd.model import (
    CareProtocol,
    Channel,
    Clinic,
    Course,
    CourseLead,
    Elapsed,
    Kind,
    Milestone,
    OnDays,
    Session,
)
from reminderd.model import Timing as When
from reminderd.proofread import check
from reminderd.protocols import load
from reminderd.render import Renderer
from reminderd.resources import protocols_dir, templates_dir
from reminderd.sample import AWKWARD_NAMES, CLINIC, items, patient, treatment
from tests.core.languages import EXPECTED

RENDERER = Renderer([templates_dir()])
PROTOCOLS = {path.stem: load(path) for path in sorted(protocols_dir().glob("*.toml"))}
MADRID = "Europe/Madrid"
AT = datetime(2026, 3, 28, 13, 30, tzinfo=UTC)  # a Saturday, 14:30 in Madrid
in_every_language = pytest.mark.parametrize("language", EXPECTED)
of_every_protocol = pytest.mark.parametrize("key", sorted(PROTOCOLS))


def printed(
    key: str = "mesotherapy",
    language: str = "en",
    *,
    at: datetime | None = AT,
    tags: frozenset[str] = frozenset(),
    clinic: Clinic = CLINIC,
) -> LeafletPage:
    protocol = PROTOCOLS[key]
    session = Session(None, key, 1, at or AT, at or AT, tags=tags)
    made = treatment_of(protocol, session, MADRID)
    return page(RENDERER, made, clinic, language, dated=at is not None)


def rows(sheet: LeafletPage) -> dict[str, str]:
    """What stands in the tables: when, by what."""
    bodies = re.sub(r"^\|.*\n\|---\|---\|$", "", sheet.markdown, flags=re.MULTILINE)
    found = re.findall(r"^\| (.+?) \| (.+) \|$", bodies, re.MULTILINE)
    return {what.replace("\\", ""): when for when, what in found}


class Reader(HTMLParser):
    """What a person reads of a page, and its tags as long as each is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.tags: dict[str, dict[str, str | None]] = {}
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = dict(attrs)
        if tag != "meta":
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


# The same words ----------------------------------------------------------------------------------


@in_every_language
@of_every_protocol
def test_every_milestone_is_on_the_leaflet_in_the_words_of_its_message(
    key: str, language: str
) -> None:
    protocol = PROTOCOLS[key]
    said = rows(page(RENDERER, treatment(protocol), CLINIC, language, dated=True))
    course = {each.milestone.id: replace(each, day=None, days=None) for each in items(protocol)}
    assert course.keys() == {each.id for each in protocol.milestones}
    found = set()
    for each in course.values():
        bundle = [each, *(other for other in course.values() if other != each)]
        mail = RENDERER.compose(bundle, patient("Marina", language), CLINIC, Channel.EMAIL).text
        lines = {line for line in mail.splitlines() if line.startswith("- ")}
        found |= {what for what in said if any(same(f"- {what}", line) for line in lines)}
    assert found == said.keys()
    assert len(said) == len({each.template for each in protocol.milestones})


def same(printed: str, sent: str) -> bool:
    """Whether a line says the same, where it is dated on paper."""
    return re.fullmatch(".+".join(map(re.escape, printed.split(BLANK))), sent) is not None


@in_every_language
@of_every_protocol
def test_warning_signs_and_both_numbers_are_on_every_leaflet(key: str, language: str) -> None:
    text = Reader(printed(key, language).html).text
    assert all(flag in text for flag in EXPECTED[language].red_flags)
    assert text.count(CLINIC.phone) >= 2


@in_every_language
@of_every_protocol
@pytest.mark.parametrize("at", [None, AT])
def test_a_leaflet_is_one_page_of_html_that_holds_together(
    key: str, language: str, at: datetime | None
) -> None:
    sheet = printed(key, language, at=at)
    reader = Reader(sheet.html)
    assert reader.opened == []
    assert reader.tags["html"]["lang"] == language
    assert not re.search(r"[{}<>]|None", sheet.markdown)


def test_arabic_is_read_from_right_to_left() -> None:
    assert Reader(printed(language="ar").html).tags["html"]["dir"] == "rtl"
    assert Reader(printed(language="en").html).tags["html"]["dir"] == "ltr"


@pytest.mark.parametrize("name", [*AWKWARD_NAMES, "a | b", "- a", "1. a", "# a", "Müller & Söhne"])
def test_the_name_of_a_clinic_is_never_markup(name: str) -> None:
    sheet = printed(clinic=replace(CLINIC, name=name))
    plain = printed(clinic=replace(CLINIC, name="Alba"))
    for html, other in (
        (sheet.html, plain.html),
        (MarkdownIt().render(sheet.markdown), MarkdownIt().render(plain.markdown)),
    ):
        assert name in Reader(html).text
        assert Reader(html).tags.keys() - {"bdi"} == Reader(other).tags.keys()


# When --------------------------------------------------------------------------------------------


def test_dates_are_right_across_both_clock_changes() -> None:
    spring = rows(printed())
    assert spring["Avoid hard exercise."] == "For 48 hours, until Monday 30 March at 15:30"
    shower = "Keep the treated area dry: no shower, and no washing there."
    assert spring[shower] == "For 12 hours, until Sunday 29 March at 03:30"
    autumn = rows(printed(at=datetime(2026, 10, 24, 12, 30, tzinfo=UTC)))
    assert autumn["You can exercise again: start gently."] == (
        "After 48 hours: Monday 26 October at 13:30"
    )
    days = rows(printed("mesotherapy-facial"))
    assert days["Avoid hard exercise."] == "For 3 days, until Tuesday 31 March at 14:30"


def test_night_and_quiet_hours_do_not_matter_on_paper() -> None:
    said = rows(printed(at=datetime(2026, 6, 1, 12, tzinfo=UTC)))
    assert said["A shower is fine again; be gentle with the treated area."] == (
        "After 12 hours: Tuesday 2 June at 02:00"
    )


def test_what_is_not_known_is_a_line_to_write_on() -> None:
    sheet = printed("mesotherapy-basic", at=None)
    said = rows(sheet)
    assert said["Avoid hard exercise."] == f"For 3 days, until {BLANK}"
    assert f"Your next session would be around {BLANK}: call us to find a time." in said
    assert "March" not in sheet.markdown
    assert BLANK not in sheet.html
    assert sheet.html.count('class="blank"') == sheet.markdown.count(BLANK)
    assert BLANK not in printed("mesotherapy-basic").markdown


def test_the_next_date_is_left_open_where_it_depends_on_the_place_in_the_course() -> None:
    said = rows(printed("mesotherapy-facial"))
    line = f"Your next session would be around {BLANK}: call us to find a time."
    assert said[line] == f"In 7 days, 14 days or 30 days: {BLANK}"


def test_milestones_for_a_tag_are_printed_with_it_only() -> None:
    assert "diet plan" not in printed().markdown
    assert "diet plan" in printed(tags=frozenset({"weight-loss"})).markdown


def test_a_text_that_comes_twice_is_printed_once_with_both_times() -> None:
    said = rows(printed("mesotherapy-course"))
    line = "If you take aspirin, ask us whether to pause it, and do not stop on your own."
    assert said[line] == "7 days before: Saturday 21 March; 3 days before: Wednesday 25 March"


def test_lengths_are_in_the_plural_of_each_language() -> None:
    assert "72 ساعة" in printed("mesotherapy-gentle", "ar").markdown
    assert "48 Stunden" in printed(language="de").markdown
    assert "12 horas" in printed(language="pt").markdown
    assert "28 días" in printed("mesotherapy-facial", "es").markdown


def hours(amount: int) -> Elapsed:
    return Elapsed(timedelta(hours=amount))


def on(first: int, last: int | None = None) -> OnDays:
    return OnDays(first, first if last is None else last, time(10))


def instant(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 6, day, hour, minute, tzinfo=UTC)


T = instant(10, 12)  # 14:00 in Madrid, far from any clock change


@pytest.mark.parametrize(
    ("kind", "timing", "holds", "times"),
    [
        ("inform", hours(0), None, [Time(Form.TODAY, at=T)]),
        ("inform", on(0), None, [Time(Form.TODAY, at=T)]),
        ("check", hours(36), None, [Time(Form.AFTER, (Duration(36, "h"),), at=instant(12, 0))]),
        ("check", hours(168), None, [Time(Form.AFTER, (Duration(7, "d"),), at=instant(17, 12))]),
        ("inform", hours(-12), None, [Time(Form.BEFORE, (Duration(12, "h"),), at=instant(10, 0))]),
        ("inform", on(-7), None, [Time(Form.BEFORE, (Duration(7, "d"),), at=instant(3, 8))]),
        ("routine", on(-3, -1), None, [Time(Form.SINCE, (Duration(3, "d"),), at=instant(7, 8))]),
        ("inform", on(2), None, [Time(Form.DAY, first=2, at=instant(12, 8))]),
        ("release", on(2), None, [Time(Form.AFTER, (Duration(2, "d"),), at=instant(12, 8))]),
        (
            "routine", on(1, 3), None,
            [Time(Form.DAYS, first=1, last=3, at=instant(11, 8), until=instant(13, 8))],
        ),
        (
            "restriction", hours(0), "90m",
            [Time(Form.FOR, (Duration(90, "m"),), until=instant(10, 13, 30))],
        ),
        (
            "restriction", on(3), "7d",
            [Time(Form.DAYS, first=3, last=7, at=instant(13, 8), until=instant(17, 12))],
        ),
        (
            "restriction", on(-3), "0m",
            [Time(Form.SINCE, (Duration(3, "d"),), at=instant(7, 8))],
        ),
        (
            "restriction", hours(-24), "2d",
            [
                Time(Form.SINCE, (Duration(24, "h"),), at=instant(9, 12)),
                Time(Form.FOR, (Duration(2, "d"),), until=instant(12, 12)),
            ],
        ),
        (
            "course", CourseLead(-3, time(10)), None,
            [Time(Form.NEXT, (Duration(21, "d"),), at=datetime(2026, 7, 1, 12, tzinfo=UTC))],
        ),
    ],
)  # fmt: skip
def test_every_timing_is_told_as_a_person_would(
    kind: str, timing: When, holds: str | None, times: list[Time]
) -> None:
    milestone = Milestone(
        "care", Kind(kind), frozenset({"care"}), timing, "care", holds and Duration.parse(holds)
    )
    protocol = CareProtocol("own", "Own", 1, (milestone,), course=Course((Duration(21, "d"),)))
    groups = leaflet(treatment_of(protocol, Session(None, "own", 1, T, T), MADRID))
    (row,) = (row for group in groups.values() for row in group)
    assert list(row.times) == times


# A site's own texts ------------------------------------------------------------------------------


def write(folder: Path, language: str, name: str, text: str) -> Renderer:
    (folder / language).mkdir(exist_ok=True)
    (folder / language / f"{name}.j2").write_text(text, "utf-8")
    return Renderer([folder, templates_dir()])


def message(line: str) -> str:
    blocks = {"line": line, "sms": "Text.", "subject": "Subject", "email": "Mail."}
    return "".join(f"{{% block {name} %}}{text}{{% endblock %}}\n" for name, text in blocks.items())


def test_a_language_without_the_leaflet_is_printed_in_the_next_of_the_chain(tmp_path: Path) -> None:
    basic = PROTOCOLS["mesotherapy-basic"]
    for name in {each.template for each in basic.milestones}:
        renderer = write(tmp_path, "it", name, message("Una frase."))
    spanish = replace(CLINIC, language="es")
    assert page(renderer, treatment(basic), spanish, "it", dated=True).language == "es"
    renderer = write(tmp_path, "it", "_leaflet", "{% block page %}Foglio.{% endblock %}")
    assert page(renderer, treatment(basic), spanish, "it", dated=True).markdown == "Foglio.\n"


def test_a_text_that_no_language_has_is_named_with_the_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(TemplateFailed, match='there is no template "_leaflet" in en') as failed:
        page(Renderer([tmp_path]), treatment(PROTOCOLS["mesotherapy"]), CLINIC, "en", dated=True)
    assert failed.value.remedy == f"write {tmp_path / 'en' / '_leaflet.j2'}"


def test_a_site_s_own_sentence_is_on_its_leaflet_as_in_its_messages(tmp_path: Path) -> None:
    text = message("{{ patient.given_name }}, no gym until {{ until | date }} | *really*.")
    renderer = write(tmp_path, "en", "no-exercise", text)
    sheet = page(renderer, treatment(PROTOCOLS["mesotherapy"]), CLINIC, "en", dated=True)
    assert f"| {BLANK}, no gym until Sunday 29 March \\| \\*really\\*. |" in sheet.markdown
    assert "no gym until Sunday 29 March | *really*." in Reader(sheet.html).text


def test_what_a_message_does_not_have_its_line_has_not_on_paper_either(tmp_path: Path) -> None:
    has = "".join(
        f"{{% if {name} %}}{name} {{% endif %}}"
        for name in ("session.area", "day", "days", "until", "next_at")
    )
    for name in ("spf", "no-exercise", "next-session"):
        renderer = write(tmp_path, "en", name, message(f"{name} has {has}."))
    for dated in (True, False):
        made = treatment(PROTOCOLS["mesotherapy-facial"])
        said = rows(page(renderer, made, CLINIC, "en", dated=dated))
        assert {"spf has .", "no-exercise has until .", "next-session has next_at ."} <= said.keys()


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("_leaflet", "{% block page %}{{ patient }}{% endblock %}", "patient is not known"),
        ("_leaflet", "{% block page %}{{ clinic.fax }}{% endblock %}", "clinic has no fax"),
        ("_leaflet", "{% block sheet %}Page{% endblock %}", "the block page is missing"),
        (
            "_leaflet",
            "{% block page %}{{ groups.routine[0].when }}{% endblock %}",
            "no attribute 'when'",
        ),
        ("_leaflet", "{% block page %}[a](http://{{ clinic.name }}){% endblock %}", "address"),
        ("massage", message("Day {{ day }}."), "a variable has no value here"),
    ],
)
def test_mistakes_are_found_before_anybody_prints(
    tmp_path: Path, name: str, text: str, fault: str
) -> None:
    copytree(templates_dir() / "en", tmp_path / "en")
    path = tmp_path / "en" / f"{name}.j2"
    path.write_text(text, "utf-8")
    found = check(Renderer([tmp_path]), [PROTOCOLS["mesotherapy"]])
    assert any(each.startswith(f"{path}:") and fault in each for each in found)
