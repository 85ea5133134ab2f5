"""Trying a session at every minute is quick, and says exactly what the planner would say."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reminderd.errors import FaultsFound
from reminderd.examination.every_minute import TrialDay, Trials, forbidding, profiles, trial_days
from reminderd.model import CareProtocol, Chart, Clinic, Consent, QuietHours, Session
from reminderd.plan import plan
from reminderd.protocols import load, parse
from reminderd.resources import protocols_dir
from reminderd.sample import CLINIC, PATIENT
from reminderd.steps import Planned
from reminderd.timing import Ban
from tests.core.protocol_file import COURSE, HEAD, milestone

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LONG_BEFORE = timedelta(days=800)
PACKAGED = {path.stem: load(path) for path in sorted(protocols_dir().glob("*.toml"))}

Told = tuple[datetime | None, str | None, str | None]


def planned(
    protocol: CareProtocol, clinic: Clinic, at: datetime, tag: str | None
) -> dict[tuple[str, int], Told]:
    """What the planner makes of one session: due, reason, and the restriction that forbids."""
    tags = frozenset({tag} - {None})
    session = Session(None, protocol.key, 1, at, at - LONG_BEFORE, tags=tags)
    consent = {each: Consent(True, at - LONG_BEFORE, "form") for each in PATIENT.channels}
    patient = replace(PATIENT, consent=consent)
    chart = Chart(patient, clinic, (session,), {None: protocol}, approved=frozenset({None}))
    rows = plan(chart, at - LONG_BEFORE)
    return {(each.reminder.milestone, each.reminder.occurrence): told(each) for each in rows}


def told(planned: Planned) -> Told:
    reminder, detail = planned.reminder, planned.steps[-1].detail
    by = detail.milestone if isinstance(detail, Ban) else None
    return reminder.due_at, reminder.reason, by


def tried(protocol: CareProtocol, trials: Trials) -> list[dict[tuple[str, int], Told]]:
    """The same for each minute of the day, by trying every minute."""
    minutes: list[dict[tuple[str, int], Told]] = [{} for _ in trials.minutes]
    for each in protocol.milestones:
        names = [restriction.id for restriction in forbidding(protocol, each)]
        for occurrence in range(1, each.occurrences + 1):
            column = trials.column(protocol, each, occurrence)
            for minute, (due_at, reason, by) in zip(minutes, column.outcomes, strict=True):
                minute[each.id, occurrence] = (due_at, reason, None if by is None else names[by])
    return minutes


def differences(protocol: CareProtocol, clinic: Clinic, day: TrialDay) -> list[object]:
    trials = Trials(clinic, day)
    found: list[object] = []
    for profile in profiles(protocol):
        for at, minute in zip(trials.minutes, tried(profile.protocol, trials), strict=True):
            expected = planned(protocol, clinic, at, profile.tag)
            found += [
                (at, key, outcome, expected[key])
                for key, outcome in minute.items()
                if outcome != expected[key]
            ]
    return found


@pytest.mark.parametrize("key", PACKAGED)
@pytest.mark.parametrize("number", range(5))
def test_every_minute_of_every_day_is_what_the_planner_says(key: str, number: int) -> None:
    day = trial_days(CLINIC.timezone, NOW)[number]
    assert differences(PACKAGED[key], CLINIC, day) == []


TIMINGS = st.one_of(
    st.integers(0, 60).map(lambda n: {"after": f"{n * 50}m"}),
    st.integers(1, 60).map(lambda n: {"after": None, "before": f"{n * 50}m"}),
    st.tuples(st.integers(-3, 3), st.integers(0, 47)).map(
        lambda it: {"after": None, "day": it[0], "at": f"{it[1] // 2:02}:{it[1] % 2 * 30:02}"}
    ),
    st.integers(0, 47).map(
        lambda n: {"after": None, "days": [0, 2], "at": f"{n // 2:02}:{n % 2 * 30:02}"}
    ),
)
LENGTHS = st.sampled_from(["20m", "5h", "11h", "26h", "1d", "2d", "3d"])
POLICIES = st.sampled_from(["defer", "drop", "ignore"])
HOURS = st.sampled_from(["21:00-08:00", "02:10-02:50", "12:00-13:00", "23:30-23:10", "00:00-00:00"])
PLACES = st.sampled_from(
    [
        ("Europe/Madrid", date(2026, 3, 28)),
        ("Europe/Madrid", date(2026, 3, 29)),
        ("Europe/Madrid", date(2026, 10, 24)),
        ("Europe/Madrid", date(2026, 10, 25)),
        ("America/Santiago", date(2026, 9, 5)),  # a midnight that does not exist
        ("Australia/Lord_Howe", date(2026, 10, 3)),  # half an hour
        ("Asia/Kolkata", date(2026, 6, 1)),
    ]
)


@st.composite
def protocols(draw: st.DrawFn) -> CareProtocol | None:
    """A restriction and three others about the same; None where no file may say so."""
    texts = [milestone(id="no", kind="restriction", holds=draw(LENGTHS), expires=None)]
    for number, kind in enumerate(["release", "routine", "restriction"]):
        holds = draw(LENGTHS) if kind == "restriction" else None
        expires = draw(st.none() | LENGTHS) if kind == "restriction" else draw(LENGTHS)
        quiet = POLICIES if kind == "release" else POLICIES | st.just("advance")
        texts.append(
            milestone(
                id=f"m-{number}", kind=kind, holds=holds, expires=expires, quiet=draw(quiet),
                **draw(TIMINGS),
            )
        )  # fmt: skip
    lead = {"after": None, "lead": draw(st.sampled_from(["-8d", "-7d", "-1d"])), "at": "10:00"}
    texts.append(milestone(id="next", kind="course", quiet=draw(POLICIES), **lead))
    try:
        return parse(HEAD + COURSE + "".join(texts), "care.toml")
    except FaultsFound:
        return None


@settings(max_examples=10, deadline=None)
@given(protocols(), HOURS, PLACES)
def test_so_it_is_for_whatever_a_protocol_says(
    protocol: CareProtocol | None, quiet: str, place: tuple[str, date]
) -> None:
    if protocol is not None:
        zone, day = place
        clinic = replace(CLINIC, timezone=zone, quiet_hours=QuietHours.parse(quiet))
        assert differences(protocol, clinic, TrialDay(day)) == []


def test_so_it_is_where_the_clock_change_turns_the_order_of_expiries() -> None:
    # A day after 02:59 is 03:59, for the clocks go forward; a day after 03:00 is 03:00.
    rule = milestone(kind="restriction", after="20h", holds="1d", expires=None)
    protocol = parse(HEAD + rule, "care.toml")
    clinic = replace(CLINIC, quiet_hours=QuietHours.parse("22:30-03:15"))
    day = TrialDay(date(2026, 3, 28))
    assert differences(protocol, clinic, day) == []
    column = Trials(clinic, day).column(protocol, protocol.milestones[0], 1)
    assert [column.dues[minute] is None for minute in (150, 179, 180, 195, 196)] == [
        False, False, True, True, False,
    ]  # fmt: skip


def test_the_days_are_an_ordinary_one_and_those_around_the_next_clock_changes() -> None:
    days = trial_days("Europe/Madrid", NOW)
    assert [(each.date, each.about) for each in days] == [
        (date(2026, 7, 12), None),
        (date(2026, 3, 28), "the day before clocks go forward"),
        (date(2026, 3, 29), "the day on which clocks go forward"),
        (date(2026, 10, 24), "the day before clocks go back"),
        (date(2026, 10, 25), "the day on which clocks go back"),
    ]
    minutes = [len(Trials(CLINIC, each).minutes) for each in days]
    assert minutes == [1440, 1440, 23 * 60, 1440, 25 * 60]


def test_a_zone_whose_clocks_never_change_has_ordinary_days_only() -> None:
    assert trial_days("Asia/Kolkata", NOW) == [TrialDay(date(2026, 3, 1))]
