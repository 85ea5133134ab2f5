"""Sessions go over to today's text of their protocol: what lies ahead changes, what left stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reminderd.corrections import Cause
from reminderd.errors import FaultsFound, NotFound, Refused
from reminderd.migrating import Migrated
from reminderd.model import State
from reminderd.plan import no_longer_true
from tests.core.build import at, local
from tests.core.desk import Desk, rule

MORNING = "2026-03-10 10:00"
EVENING = "2026-03-10 20:00"


def no_training(holds: str) -> tuple[str, str]:
    return (
        rule(
            "no-training", "restriction", after="0m", holds=holds, quiet="ignore", topics=["sport"]
        ),
        rule("training-again", "release", after=holds, expires="24h", topics=["sport"]),
    )


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Vera was treated this morning under 48 hours without training, and was told so."""
    desk = Desk(tmp_path, at(MORNING))
    desk.protocol(*no_training("48h"))
    for name in ("note", "check", "no-sun"):
        desk.template(name)
    desk.treat(desk.patient(), MORNING)
    desk.drain(MORNING)
    desk.clock.move_to(at("2026-03-10 11:00"))
    yield desk
    desk.close()


def edit(desk: Desk, before: str, after: str, key: str = "care") -> None:
    path = desk.folder / "protocols" / f"{key}.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def raised(desk: Desk, *milestones: str) -> None:
    """The clinic writes revision 2 of its protocol."""
    desk.protocol(*milestones)
    edit(desk, "revision = 1", "revision = 2")


def migrate(desk: Desk, key: str = "care", **more: int) -> list[Migrated]:
    found: list[Migrated] = []
    desk.house.migrator.migrate(key, desk.now, found.append, **more)
    return found


def went_over(desk: Desk) -> set[str]:
    return {f"ses-{each.id}" for one in migrate(desk) for each in one.sessions}


# What changes -------------------------------------------------------------------------------------


def test_what_lies_ahead_follows_the_new_text_and_what_was_sent_stays(desk: Desk) -> None:
    sent = desk.the("no-training")
    raised(desk, *no_training("72h"), rule("note", day=1, at="09:00"))
    (moved,) = migrate(desk)
    assert moved.sessions == (moved.before.sessions[0],)
    assert desk.the("no-training") == sent._replace(needs_staff=True)
    assert local(desk.the("training-again").due_at) == "2026-03-13 10:00"
    assert local(desk.the("note").due_at) == "2026-03-11 09:00"
    assert desk.intake.session("ses-1").revision == 2
    assert {each.id: each for each in moved.change.chart.reminders} == {
        each.id: each for each in desk.reminders()
    }


def test_a_text_that_became_false_is_flagged_for_staff(desk: Desk) -> None:
    assert no_longer_true(desk.intake.chart(1), desk.now) == []
    raised(desk, *no_training("72h"))
    migrate(desk)
    (false,) = no_longer_true(desk.intake.chart(1), desk.now)
    assert (false.reminder.milestone, false.cause) == ("no-training", Cause.CHANGED)
    assert (local(false.was), local(false.now)) == ("2026-03-12 10:00", "2026-03-13 10:00")


def test_an_all_clear_that_left_and_is_forbidden_again_is_flagged(desk: Desk) -> None:
    desk.drain("2026-03-12 10:00")
    desk.drain("2026-03-12 12:00")
    assert desk.the("training-again").state is State.SENT
    raised(desk, *no_training("72h"))
    migrate(desk)
    causes = {
        each.reminder.milestone: each.cause
        for each in no_longer_true(desk.intake.chart(1), desk.now)
    }
    assert causes == {"no-training": Cause.CHANGED, "training-again": Cause.FORBIDDEN_AGAIN}


def test_a_milestone_that_is_gone_is_withdrawn(desk: Desk) -> None:
    raised(desk, no_training("48h")[0])
    migrate(desk)
    assert desk.states() == {"no-training": "sent", "training-again": "cancelled/changed"}


def test_the_change_is_on_record_with_who_and_why(desk: Desk) -> None:
    raised(desk, *no_training("72h"))
    migrate(desk)
    (change,) = desk.intake.chart(1).changes
    assert (change.was.revision, change.protocol.revision) == (1, 1)
    assert (change.by, change.why) == (desk.intake.by, "migrated to revision 2")
    assert change.at == desk.now


def test_what_staff_decided_for_a_session_goes_with_it(desk: Desk) -> None:
    from reminderd.model import Adjustment, Duration

    longer = Adjustment("Dr. Alba", "bruised", holds=Duration.parse("96h"))
    desk.intake.adjust_session("ses-1", "no-training", longer, desk.now)
    raised(desk, *no_training("72h"))
    migrate(desk)
    assert local(desk.the("training-again").due_at) == "2026-03-14 10:00"


# Who goes over ------------------------------------------------------------------------------------


def test_a_session_of_which_neither_text_has_anything_ahead_is_left_alone(desk: Desk) -> None:
    raised(desk, *no_training("72h"))
    desk.clock.move_to(at("2026-03-14 10:00"))  # the new all-clear expires now
    assert went_over(desk) == set()
    assert desk.intake.session("ses-1").revision == 1


def test_a_session_of_which_only_the_new_text_has_something_ahead_goes_over(desk: Desk) -> None:
    desk.drain("2026-03-12 10:00")
    desk.clock.move_to(at("2026-03-14 10:00"))
    raised(desk, *no_training("48h"), rule("check", "check", day=5, at="09:00"))
    assert went_over(desk) == {"ses-1"}
    assert desk.the("check").state is State.SCHEDULED


def test_a_ban_that_lasts_longer_than_its_reminder_still_matters(desk: Desk) -> None:
    ban = rule("no-sun", "restriction", after="0m", holds="14d", expires="2h", topics=["sun"])
    desk.protocol(ban, key="sun")
    desk.treat(desk.patient("Ana"), EVENING, "sun")
    desk.protocol(ban.replace("14d", "21d"), key="sun")
    desk.clock.move_to(at("2026-03-25 10:00"))
    assert [each.sessions[0].id for each in migrate(desk, "sun")] == [2]


def test_a_booked_session_goes_over_even_if_all_before_it_is_over(desk: Desk) -> None:
    before = rule("note", before="48h", expires="2h")
    desk.protocol(before, key="early")
    desk.book(desk.patient("Ana"), "2026-03-11 10:00", "early")
    desk.protocol(before.replace("48h", "72h"), key="early")
    assert [each.sessions[0].id for each in migrate(desk, "early")] == [2]
    desk.intake.move_session("ses-2", at("2026-03-20 10:00"), desk.now)
    assert local(desk.the("note").due_at) == "2026-03-17 10:00"


def test_who_is_under_todays_text_or_another_protocol_stays_as_they_are(desk: Desk) -> None:
    desk.protocol(rule("note", day=1, at="09:00"), key="other")
    desk.treat(desk.patient("Ana"), EVENING, "other")
    assert went_over(desk) == set()
    raised(desk, *no_training("72h"))
    desk.treat(desk.patient("Bea"), EVENING)
    assert went_over(desk) == {"ses-1"}
    assert went_over(desk) == set()
    assert [each.revision for each in desk.outbox.sessions()] == [2, 1, 2]


def test_a_session_that_was_called_off_stays_under_its_text(desk: Desk) -> None:
    vera = desk.intake.patient("pat-1")
    desk.book(vera, "2026-03-20 10:00")
    desk.book(vera, "2026-03-27 10:00")
    desk.intake.cancel_session("ses-2", desk.now)
    raised(desk, *no_training("72h"))
    assert went_over(desk) == {"ses-1", "ses-3"}


def test_one_patient_can_go_over_alone(desk: Desk) -> None:
    desk.treat(desk.patient("Ana"), EVENING)
    raised(desk, *no_training("72h"))
    (moved,) = migrate(desk, patient_id=2)
    assert moved.change.chart.patient.given_name == "Ana"
    assert [each.revision for each in desk.outbox.sessions()] == [1, 2]


def test_a_text_with_the_same_revision_is_another_text_all_the_same(desk: Desk) -> None:
    desk.protocol(*no_training("72h"))
    assert went_over(desk) == {"ses-1"}
    assert local(desk.the("training-again").due_at) == "2026-03-13 10:00"


def test_more_patients_than_are_held_in_memory_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminderd.migrating.CHUNK", 2)
    for name in ("Ana", "Bea", "Eva", "Ida"):
        desk.treat(desk.patient(name), EVENING)
    raised(desk, *no_training("72h"))
    assert went_over(desk) == {f"ses-{n}" for n in range(1, 6)}


# All of it or nothing -----------------------------------------------------------------------------


def test_a_trial_shows_the_same_and_changes_nothing(desk: Desk) -> None:
    raised(desk, *no_training("72h"))
    before = (desk.reminders(), desk.outbox.sessions(), desk.intake.chart(1).changes)
    with desk.intake.trial():
        tried = migrate(desk)
    assert (desk.reminders(), desk.outbox.sessions(), desk.intake.chart(1).changes) == before
    assert migrate(desk) == tried


def test_a_text_that_was_only_tried_is_forgotten(desk: Desk) -> None:
    raised(desk, *no_training("72h"))
    with desk.intake.trial():
        migrate(desk)
    raised(desk, *no_training("96h"))
    migrate(desk)
    assert local(desk.the("training-again").due_at) == "2026-03-14 10:00"


def test_what_fails_half_way_leaves_everybody_where_they_were(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminderd.migrating.CHUNK", 1)
    desk.treat(desk.patient("Ana"), EVENING)
    raised(desk, *no_training("72h"))
    before = desk.reminders()

    def fails(moved: Migrated) -> None:
        if moved.change.chart.patient.given_name == "Ana":
            raise RuntimeError

    with pytest.raises(RuntimeError):
        desk.house.migrator.migrate("care", desk.now, fails)
    assert desk.reminders() == before
    assert [each.revision for each in desk.outbox.sessions()] == [1, 1]


def test_a_file_with_mistakes_or_without_a_text_moves_nobody(desk: Desk) -> None:
    raised(desk, *no_training("72h"))
    edit(desk, 'holds = "72h"', 'holds = "72x"')
    with pytest.raises(FaultsFound):
        migrate(desk)
    edit(desk, 'holds = "72x"', 'holds = "72h"\ntemplate = "unwritten"')
    with pytest.raises(Refused, match="unwritten"):
        migrate(desk)
    with pytest.raises(NotFound):
        migrate(desk, "nothing")
    assert desk.intake.session("ses-1").revision == 1
