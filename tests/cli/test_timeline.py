"""The picture of a plan, to be understood at a glance."""

from datetime import timedelta
from io import StringIO

from rich.console import Console

from reminderd.cli.timeline import draw
from reminderd.model import Chart
from tests.core import build as b


def picture(
    chart: Chart, now: str = "2010-01-01 00:00", width: int = 80, colour: bool = False
) -> list[str]:
    page = StringIO()
    system = "truecolor" if colour else None
    console = Console(file=page, width=width, force_terminal=colour, color_system=system)
    rows, at = b.rows(chart, b.LONG_AGO), b.at(now, chart.timezone)
    draw(console, rows, chart.timezone, chart.clinic.quiet_hours, at, chart.sessions)
    return page.getvalue().splitlines()


def line_of(lines: list[str], day: str) -> str:
    return next(line for line in lines if line.startswith(day))


DAILY = b.protocol(b.restriction(expires="12h"), b.routine(days=(1, 3), at="10:00"))


def test_a_row_is_a_day_with_its_night_its_marks_and_its_messages() -> None:
    lines = picture(b.chart(b.session(b.at("2026-03-23 14:30")), DAILY))
    assert line_of(lines, "Mon 23 Mar").rstrip() == (
        "Mon 23 Mar day 0 ░░░░░░░░──────◆──────░░░ ◆ 14:30 care"
    )
    assert line_of(lines, "Tue 24 Mar").rstrip() == (
        "Tue 24 Mar day 1 ░░░░░░░░──●──────────░░░ ● 10:00 sms massage"
    )
    assert lines[2].strip() == "● 14:30 sms no-shower"


def test_the_hour_that_clocks_skip_is_a_gap_and_the_length_is_said() -> None:
    lines = picture(b.chart(b.session(b.at("2026-03-28 14:30")), DAILY))
    assert "░░ ░░░░░──●──────────░░░" in line_of(lines, "Sun 29 Mar")
    assert any("clocks go forward: 23 hours" in line for line in lines)


def test_the_hour_that_comes_twice_is_denser() -> None:
    lines = picture(b.chart(b.session(b.at("2026-10-24 14:30")), DAILY))
    assert "░░▒░░░░░──●──────────░░░" in line_of(lines, "Sun 25 Oct")
    assert any("clocks go back: 25 hours" in line for line in lines)


def test_a_change_of_half_an_hour_is_said() -> None:
    zone = "Australia/Lord_Howe"
    chart = b.chart(
        b.session(b.at("2026-04-04 14:30", zone)), DAILY, patient=b.patient(timezone=zone)
    )
    assert any("clocks go back: 24.5 hours" in line for line in picture(chart))


def test_many_empty_days_are_one_line() -> None:
    care = b.protocol(b.routine(day=0, at="18:00"), b.inform(day=30))
    lines = picture(b.chart(b.session(b.at("2026-05-04 14:30")), care))
    assert any("⋮ 29 days with nothing" in line for line in lines)
    assert sum(" May day " in line for line in lines) == 1


def test_what_is_held_and_left_out_is_said_in_words() -> None:
    care = b.protocol(*DAILY.milestones, b.inform(day=1, only_for=["scalp"]))
    said = " ".join(picture(b.chart(b.session(b.at("2026-03-23 14:30"), done=False), care)))
    assert "○ 10:00 sms massage" in said
    assert "held: the session is not marked as done: no-shower, massage (3)" in said
    assert "left out: it does not apply to this session: bruising" in said


def test_what_is_overdue_is_drawn_where_it_goes_out() -> None:
    chart = b.chart(b.session(b.at("2026-03-23 14:30")), DAILY)
    lines = picture(chart, now="2026-03-23 16:10")
    assert "◆─●" in line_of(lines, "Mon 23 Mar")
    assert any("● 16:10 sms no-shower" in line for line in lines)


def test_the_present_is_marked() -> None:
    chart = b.chart(b.session(b.at("2026-03-23 14:30")), DAILY)
    lines = picture(chart, now="2026-03-24 09:10")
    assert "░─▾●───" in line_of(lines, "Tue 24 Mar")
    assert "▾ now" in " ".join(lines)


def test_a_wide_terminal_gets_half_hours_and_a_pipe_no_colour() -> None:
    chart = b.chart(b.session(b.at("2026-03-23 14:30")), DAILY)
    wide = line_of(picture(chart, width=120), "Tue 24 Mar")
    assert "░" * 16 + "─" * 4 + "●" + "─" * 21 + "░" * 6 in wide
    assert not any("\x1b" in line for line in picture(chart))
    assert any("\x1b[" in line for line in picture(chart, width=120, colour=True))


def test_nothing_is_wider_than_the_terminal() -> None:
    start = b.at("2026-03-23 14:30")
    sessions = [b.session(start + timedelta(days=n), id=n + 1) for n in range(3)]
    assert max(map(len, picture(b.chart(sessions, DAILY)))) <= 80
