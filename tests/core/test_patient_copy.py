"""The patient's copy: the whole plan as a table in local time and as a calendar file."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import icalendar
import pytest
from hypothesis import given

from reminderd.calendar_file import written
from reminderd.model import Channel, Chart, Clinic, Patient, State
from reminderd.opening import everything, plan_to_copy
from reminderd.patient_copy import calendar
from reminderd.proofread import check
from reminderd.protocols import load
from reminderd.render import Composed, Item, Renderer
from reminderd.resources import protocols_dir, templates_dir
from reminderd.sample import AWKWARD_NAMES, CLINIC, PATIENT, bundles, items, patient
from reminderd.texts import Texts
from tests.core.any_chart import charts, examples
from tests.core.build import (
    ALBA,
    VERA,
    at,
    chart,
    inform,
    local,
    protocol,
    release,
    remembered,
    restriction,
    routine,
    session,
    with_row,
)
from tests.core.pages import BUNDLE, page, write

PACKAGED = Renderer([templates_dir()])
NOW = datetime(2026, 3, 27, 14, 0, tzinfo=UTC)
FRIDAY = at("2026-03-27 14:30")  # the clocks go forward on the Sunday
PLAN = """\
{% block email %}
| When | What |
|---|---|
{% for row in rows %}
| {{ row.at | datetime if row.at }}/{{ row.last | date if row.last }}/{{
  row.until | datetime if row.until }} | {{ row.text }} |
{% endfor %}
{% endblock %}
{% block calendar %}Care by {{ clinic.name }}{% endblock %}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "templates", en___bundle=BUNDLE, en___plan=PLAN)


def first_mail(of: Sequence[Item]) -> list[Item]:
    """The earliest message that opens a session's aftercare."""
    return next(each for each in bundles(of) if plan_to_copy(each, of))


def mail(
    renderer: Renderer, of: Sequence[Item], who: Patient = VERA, where: Clinic = ALBA
) -> Composed:
    opening = first_mail(of)
    return renderer.compose(opening, who, where, Channel.EMAIL, plan_to_copy(opening, of))


def planned(*of: Any, **more: Any) -> list[Item]:
    """The plan of one patient, as if stored."""
    return everything(remembered(chart(*of, **more)))


@cache
def packaged(language: str, name: str = "Marina") -> Composed:
    course = items(load(protocols_dir() / "mesotherapy.toml"))
    return mail(PACKAGED, course, patient(name, language), CLINIC)


def table(composed: Composed) -> list[list[str]]:
    """The rows of the table in the text, without its head."""
    lines = [line for line in composed.text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def events(composed: Composed, now: datetime = NOW) -> list[icalendar.Event]:
    assert composed.copy is not None
    file = written(calendar(composed.copy, "main", "abc"), now)
    return list(icalendar.Calendar.from_ical(file).walk("VEVENT"))


# The table ------------------------------------------------------------------------------------


def test_the_table_has_every_date_in_local_time_across_the_change_of_the_clocks() -> None:
    rows = table(packaged("en"))
    assert rows[0][0] == "Until Saturday 28 March at 02:30"
    assert rows[1][0] == "Until Sunday 29 March at 15:30", "48 hours, one of which was skipped"
    assert ["Sunday 29 March at 15:30", "You can exercise again: start gently."] in rows
    assert [
        "Every day from Saturday 28 March to Friday 10 April, at 10:00",
        "Put on sunscreen, SPF 30 or higher, before you go out.",
    ] in rows


def test_the_days_of_a_milestone_are_one_row_that_counts_no_days() -> None:
    assert [
        "Every day from Saturday 28 March to Monday 30 March, at 10:00",
        "Massage the area gently for 15 to 20 minutes.",
    ] in table(packaged("en"))


@pytest.mark.parametrize("language", sorted(PACKAGED.texts.languages()))
def test_the_copy_is_in_the_language_of_the_mail(language: str) -> None:
    composed = packaged(language)
    assert composed.language == language
    assert len(table(composed)) == len(table(packaged("en")))
    own_words = {each[1] for each in table(composed)}
    assert language == "en" or own_words.isdisjoint(each[1] for each in table(packaged("en")))
    assert composed.html is not None
    assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in composed.html


def test_the_mail_says_below_its_goodbye_what_the_table_and_the_file_are() -> None:
    text = packaged("en").text
    words = text.partition("Warm wishes,\n\nAlba Skin Clinic\n\n")[2]
    assert words.startswith("## Your dates\n\nAll times are your local time.")
    assert "calendar" in words
    html = packaged("en").html
    assert html is not None
    assert html.index("Warm wishes") < html.index("<table style=") < html.index("</main>")
    assert "<td>" not in html


@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_a_name_never_becomes_markup_in_the_table_or_in_the_file(folder: Path, name: str) -> None:
    write(folder, en__ice=page("{{ patient.given_name }}: ice, {{ session.area }}; now."))
    area = 'chin | <b>neck</b>\nEND:VEVENT, "x"'
    ice = protocol(inform("ice", after="0m"))
    composed = mail(
        Renderer([folder]),
        planned(session(FRIDAY, area=area), ice),
        replace(VERA, given_name=name),
        replace(ALBA, name="<i>Alba</i>\r\nX-EVIL: 1"),
    )
    assert composed.html is not None
    assert composed.html.count("<tr>") == 2
    assert "<b>" not in composed.html
    assert "href" not in composed.html
    (event,) = events(composed)
    assert event["summary"] == f"{' '.join(name.split())}: ice, {' '.join(area.split())}; now."
    assert composed.copy is not None
    assert b"\r\nX-EVIL" not in written(calendar(composed.copy, "main", "abc"), NOW)


def test_days_are_told_apart_where_more_than_their_number_differs(folder: Path) -> None:
    asks = "{% if day %}(day {{ day }} of {{ days }}) {% endif %}"
    write(
        folder,
        en__ice=page("Ice."),
        en__same=page(f"{asks}Massage for 3 minutes."),
        en__first=page("{% if day == 1 %}Begin.{% else %}Go on.{% endif %}"),
        en__bare=page("Day {{ day }}."),
    )
    care = protocol(
        inform("ice", after="0m"),
        routine("same", "a", days=(1, 3)),
        routine("first", "b", days=(1, 3)),
        routine("bare", "c", days=(1, 2)),
    )
    rows = table(mail(Renderer([folder]), planned(session(FRIDAY), care)))
    assert rows[1:] == [
        ["Saturday 28 March at 10:00//", "Day 1."],
        ["Saturday 28 March at 10:00//", "Begin."],
        ["Saturday 28 March at 10:00/Monday 30 March/", "Massage for 3 minutes."],
        ["Sunday 29 March at 10:00//", "Day 2."],
        ["Sunday 29 March at 10:00/Monday 30 March/", "Go on."],
    ]


def test_a_gap_in_the_days_is_seen(folder: Path) -> None:
    write(folder, en__ice=page("Ice."), en__spf=page("Sunscreen."))
    care = protocol(inform("ice", after="0m"), routine("spf", "sun", days=(1, 4)))
    of = remembered(chart(session(FRIDAY), care))
    gone = tuple(each for each in of.reminders if (each.milestone, each.occurrence) != ("spf", 2))
    rows = table(mail(Renderer([folder]), everything(replace(of, reminders=gone))))
    assert [each[0] for each in rows[1:]] == [
        "Saturday 28 March at 10:00//",
        "Monday 30 March at 10:00/Tuesday 31 March/",
    ]


def test_a_restriction_that_begins_later_says_from_when(folder: Path) -> None:
    write(folder, en__dry=page("No shower."), en__gym=page("No gym."), en__acid=page("No acid."))
    care = protocol(restriction("dry"), restriction("acid", "acid", before="48h", holds="0m"))
    of = planned([session(FRIDAY), session(at("2026-04-10 10:00"), id=2, done=False)], care)
    assert table(mail(Renderer([folder]), of)) == [
        ["//Saturday 28 March at 02:30", "No shower."],
        ["Wednesday 8 April at 10:00//Friday 10 April at 10:00", "No acid."],
    ]


def test_what_is_told_some_days_later_is_not_said_of_the_day_of_the_treatment(folder: Path) -> None:
    write(folder, en__dry=page("No shower."), en__acid=page("Your creams, but no acid."))
    later = restriction("acid", "acid", day=3, at="10:00", holds="7d", expires="2d")
    of = planned(session(FRIDAY), protocol(restriction("dry"), later))
    assert table(mail(Renderer([folder]), of)) == [
        ["//Saturday 28 March at 02:30", "No shower."],
        ["Monday 30 March at 10:00//Friday 3 April at 14:30", "Your creams, but no acid."],
    ]


def test_two_sessions_opened_in_one_mail_are_one_table_that_says_it_once(folder: Path) -> None:
    write(folder, en__dry=page("No shower."), en__again=page("Shower."))
    care = protocol(restriction("dry"), release("again"))
    later = FRIDAY + timedelta(hours=2)
    of = planned([session(FRIDAY), session(later, id=2)], care)
    opening = [each for each in of if each.milestone.id == "dry"]
    composed = Renderer([folder]).compose(
        opening, VERA, ALBA, Channel.EMAIL, plan_to_copy(opening, of)
    )
    assert table(composed) == [
        ["//Saturday 28 March at 04:30", "No shower."],
        ["Saturday 28 March at 08:00//", "Shower."],
    ]
    assert len(events(composed)) == 4, "each reminder is a date of its own in the calendar"


def test_what_fails_or_is_not_to_be_sent_is_not_in_the_copy(folder: Path) -> None:
    write(folder, en__dry=page("No shower."), en__bad=page("{{ oops }}"), en__again=page("Shower."))
    care = protocol(restriction("dry"), inform("bad", after="3h"), release("again"))
    of = remembered(chart(session(FRIDAY), care))
    for state in (State.SKIPPED, State.CANCELLED, State.HELD, State.EXPIRED, State.FAILED):
        composed = mail(Renderer([folder]), everything(with_row(of, "again", state=state)))
        assert [each[1] for each in table(composed)] == ["No shower."]
        assert len(events(composed)) == 1


# Where there are no words for it --------------------------------------------------------------


def test_a_mail_goes_without_the_copy_where_its_language_has_no_words_for_it(
    tmp_path: Path,
) -> None:
    folder = write(tmp_path, nl__dry=page("Geen douche."), nl__again=page("Douche."))
    of = planned(session(FRIDAY), protocol(restriction("dry"), release("again")))
    composed = mail(Renderer([folder]), of, replace(VERA, language="nl"))
    assert (composed.text, composed.copy) == ("Mail.", None)
    (folder / "nl" / "again.j2").unlink()
    write(folder, nl___plan=PLAN, en__again=page())
    composed = mail(Renderer([folder]), of, replace(VERA, language="nl"))
    assert (composed.text, composed.copy) == ("Mail.", None), "no table in two languages"


def test_a_region_shares_the_words_of_its_language(folder: Path) -> None:
    write(folder, en_GB__dry=page("No shower."))
    texts = Texts([folder])
    assert texts.plan("en_GB") == texts.get("en", "_plan")
    assert texts.plan("fr_CA") is None


def test_words_that_fail_do_not_keep_the_mail_and_are_found_by_the_check(folder: Path) -> None:
    write(folder, en__dry=page(), en___plan=PLAN.replace("row.text", "row.txt"))
    of = planned(session(FRIDAY), protocol(restriction("dry")))
    assert mail(Renderer([folder]), of).text == "Mail."
    write(folder, en__ice=page())
    (fault,) = check(Renderer([folder]), [])
    assert "_plan.j2:6: en/_plan, block email" in fault
    assert "txt" in fault


def test_the_check_finds_unknown_names_and_warns_where_there_are_no_words(folder: Path) -> None:
    write(folder, nl__dry=page(), en__dry=page(), en___plan=PLAN + "{{ lines }}{{ patient.age }}")
    nowhere, stranger, attribute = sorted(check(Renderer([folder]), []))[::-1]
    assert nowhere.startswith(f"{folder / 'nl' / '_plan.j2'}:1: warning: there is no such file")
    assert {each.partition(": ")[2] for each in (stranger, attribute)} == {
        "lines is not known; there is clinic, patient, rows",
        "patient has no age; it has given_name",
    }


def test_a_signature_covers_the_words_of_the_copy(folder: Path) -> None:
    before = Texts([folder]).digest(["dry"])
    write(folder, en___plan=PLAN + "More.")
    assert Texts([folder]).digest(["dry"]) != before


# The file -------------------------------------------------------------------------------------


def test_the_file_can_be_read_back_and_says_nothing_but_the_lines() -> None:
    composed = packaged("en")
    assert composed.copy is not None
    file = written(calendar(composed.copy, "main", "abc"), NOW)
    assert max(map(len, file.split(b"\r\n"))) <= 75
    read = icalendar.Calendar.from_ical(file)
    assert (read["version"], read["method"]) == ("2.0", "PUBLISH")
    assert read["x-wr-calname"] == "Aftercare, Alba Skin Clinic"
    assert not read.walk("VALARM")
    assert not read.walk("VTIMEZONE")
    for event in read.walk("VEVENT"):
        assert (event["class"], event["transp"]) == ("PRIVATE", "TRANSPARENT")
        assert event["dtstamp"].dt == NOW
        assert set(event) == {
            "UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "CLASS", "TRANSP",
        }  # fmt: skip
    assert PATIENT.given_name.encode() not in file
    assert CLINIC.phone.encode() not in file


def test_every_day_is_an_event_of_its_own_at_the_same_local_time() -> None:
    spf = [each for each in events(packaged("en")) if "SPF 30 or higher, before" in each["summary"]]
    starts = [each["dtstart"].dt for each in spf]
    assert [f"{each:%H:%M %Z}" for each in starts[:2]] == ["09:00 UTC", "08:00 UTC"]
    assert [local(each) for each in starts] == [
        *(f"2026-03-{day} 10:00" for day in range(28, 32)),
        *(f"2026-04-{day:02} 10:00" for day in range(1, 11)),
    ]
    assert {each["dtend"].dt - each["dtstart"].dt for each in spf} == {timedelta(minutes=15)}
    massage = [each["summary"] for each in events(packaged("en")) if "(day " in each["summary"]]
    assert [each[-13:] for each in massage] == [f"(day {day} of 3)." for day in (1, 2, 3)]


def test_a_restriction_lasts_from_the_treatment_to_its_end() -> None:
    (dry,) = [each for each in events(packaged("en")) if "no shower" in each["summary"]]
    assert (local(dry["dtstart"].dt), local(dry["dtend"].dt)) == (
        "2026-03-27 14:30",
        "2026-03-28 02:30",
    )


def test_a_restriction_that_is_over_before_it_is_said_is_a_moment_and_no_span(
    folder: Path,
) -> None:
    write(folder, en__dry=page("No shower."), en__late=page("No sauna."))
    late = restriction("late", day=0, at="16:00", holds="1m", expires="2h")
    of = planned(session(FRIDAY), protocol(restriction("dry"), late))
    composed = mail(Renderer([folder]), of)
    (event,) = [each for each in events(composed) if each["summary"] == "No sauna."]
    assert event["dtend"].dt - event["dtstart"].dt == timedelta(minutes=15)
    assert ["Friday 27 March at 16:00//", "No sauna."] in table(composed)


def test_a_later_copy_names_the_same_reminders_alike_so_that_it_takes_their_place(
    folder: Path,
) -> None:
    write(folder, en__dry=page("No shower."), en__again=page("Shower."))
    of = planned(session(FRIDAY), protocol(restriction("dry"), release("again")))
    composed = mail(Renderer([folder]), of)
    first, second = events(composed), events(composed, NOW + timedelta(days=1))
    assert [each["uid"] for each in first] == ["rem-1.main.abc", "rem-2.main.abc"]
    assert [each["uid"] for each in first] == [each["uid"] for each in second]
    assert first[0]["dtstamp"].dt < second[0]["dtstamp"].dt


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    """Has the two templates of the generated protocols."""
    folder = tmp_path_factory.mktemp("plain")
    write(folder, en__ice=page("Ice."), en__sun=page("Sun."))
    return Renderer([write(folder, en___bundle=BUNDLE, en___plan=PLAN)])


@examples(max_examples=100)
@given(charts)
def test_every_scheduled_reminder_of_an_opened_session_is_in_the_file_once(
    plain: Renderer, of: Chart
) -> None:
    whole = everything(remembered(of))
    scheduled = [each for each in whole if each.reminder.state is State.SCHEDULED]
    for opening in bundles(scheduled):
        opened = {each.session.id for each in opening if opens(each)}
        told = plan_to_copy(opening, whole)
        assert bool(told) is bool(opened)
        if told:
            found = events(plain.compose(opening, of.patient, of.clinic, Channel.EMAIL, told))
            uids = [str(each["uid"]) for each in found]
            wanted = [each for each in scheduled if each.session.id in opened and is_after(each)]
            assert len(uids) == len(set(uids))
            assert names(wanted) <= set(uids) <= names(scheduled)
            assert all(each["dtstart"].dt < each["dtend"].dt for each in found)


def opens(item: Item) -> bool:
    return is_after(item) and item.reminder.nominal_at == item.session.at


def is_after(item: Item) -> bool:
    return not item.milestone.is_pre_care


def names(of: Sequence[Item]) -> set[str]:
    return {f"rem-{each.reminder.id}.main.abc" for each in of}
