"""`protocol diff`, `migrate`, `show --revision`, `list`: a clinic changes its protocol."""

import json
from datetime import timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from reminderd import resources
from tests.cli.front_desk import CARE, NOW, VERA, FrontDesk, told_before

HOUR = timedelta(hours=1)
BEFORE = NOW - HOUR / 2
ANA = ("--given-name", "Ana", "--phone", "612 345 679", "--consent", "sms", "--ref", "A-2")


def just_treated(desk: FrontDesk) -> None:
    """Vera was treated at 9:30, half an hour ago; what was due then has left."""
    with_files(desk)
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-27T09:30", now=BEFORE)
    desk.send(BEFORE)


@pytest.fixture
def desk(tmp_path: Path) -> FrontDesk:
    return told_before(just_treated, tmp_path)


def signed_before(desk: FrontDesk) -> None:
    """A clinic whose mail leaves the machine; Vera's doctor signed before she came."""
    with_files(desk)
    desk.do("protocol", "approve", "mesotherapy", "--by", "Dr. Lund", now=BEFORE)
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-27T09:30", "--channels", "email", now=BEFORE)


@pytest.fixture
def leaving(tmp_path: Path) -> FrontDesk:
    return told_before(signed_before, tmp_path, email="smtp")


def with_files(desk: FrontDesk) -> None:
    """Own protocols and templates, to edit."""
    here = desk.config.parent
    copytree(resources.protocols_dir(), here / "protocols")
    copytree(resources.templates_dir(), here / "templates")


def edit(desk: FrontDesk, name: str, before: str, after: str) -> Path:
    path = desk.config.parent / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    return path


def longer(desk: FrontDesk) -> None:
    """Revision 2: 72 hours, not 48, and the all-clears with them."""
    name = "protocols/mesotherapy.toml"
    edit(desk, name, "revision = 1", "revision = 2")
    edit(desk, name, 'holds = "48h"', 'holds = "72h"')
    edit(desk, name, 'after = "48h"', 'after = "72h"')


def signed(desk: FrontDesk) -> FrontDesk:
    desk.do("protocol", "approve", "mesotherapy", "--by", "Dr. Lund")
    return desk


def the(desk: FrontDesk, milestone: str) -> Any:
    listed = desk.json("reminder", "list")["reminders"]
    return next(each for each in listed if each["milestone"] == milestone)


# protocol diff ------------------------------------------------------------------------------------


def test_a_signature_that_stands_is_said_to(desk: FrontDesk) -> None:
    done = signed(desk).run("protocol", "diff", "mesotherapy")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "signed by Dr. Lund on 2026-03-27T10:00:00+01:00, revision 1, and nothing" in done.stderr
    assert desk.json("protocol", "diff", "mesotherapy")["stands"] is True


def test_what_changed_since_the_signature_is_told_in_words(desk: FrontDesk) -> None:
    signed(desk)
    longer(desk)
    path = edit(desk, "templates/en/no-exercise.j2", "{% block sms %}", "{% block sms %}Please: ")
    done = desk.run("protocol", "diff", "mesotherapy")
    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    assert lines[0] == "revision 1 → 2"
    assert "no-exercise: holds 48h → 72h" in lines
    assert "exercise-again: when 48h after → 72h after" in lines
    assert f"{path}: changed" in lines
    assert any(line.startswith("  +{% block sms %}Please: ") for line in lines)
    assert "Once it is right: reminderd protocol approve mesotherapy --by NAME" in done.stderr


def test_a_script_gets_every_difference(desk: FrontDesk) -> None:
    signed(desk)
    longer(desk)
    path = edit(desk, "templates/es/no-exercise.j2", "{% block sms %}", "{% block sms %}Hola: ")
    done = desk.run("protocol", "diff", "mesotherapy", "--json")
    data = json.loads(done.stdout)
    assert done.exit_code == 1
    assert data["signed"] == {"by": "Dr. Lund", "at": "2026-03-27T10:00:00+01:00", "revision": 1}
    assert {
        "milestone": "no-exercise",
        "what": "holds",
        "was": "48h",
        "now": "72h",
        "text": "no-exercise: holds 48h → 72h",
    } in data["rules"]
    (text,) = data["texts"]
    assert (text["name"], text["path"], text["change"]) == (
        "es/no-exercise", str(path), "changed",
    )  # fmt: skip
    assert text["diff"][0].startswith("@@")


def test_what_nobody_signed_is_to_be_read_in_full(desk: FrontDesk) -> None:
    done = desk.run("protocol", "diff", "mesotherapy")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "nobody has signed it yet" in done.stderr
    data = json.loads(desk.run("protocol", "diff", "mesotherapy", "--json").stdout)
    assert (data["signed"], data["rules"], data["texts"]) == (None, None, None)


def test_a_change_without_a_new_revision_is_remarked_on(desk: FrontDesk) -> None:
    signed(desk)
    edit(desk, "protocols/mesotherapy.toml", 'title = "', 'title = "Our ')
    assert "raise it" in desk.run("protocol", "diff", "mesotherapy").stderr


def test_the_rules_are_compared_with_an_older_revision(desk: FrontDesk) -> None:
    longer(desk)
    done = desk.run("protocol", "diff", "mesotherapy", "--from", "1")
    assert done.exit_code == 1
    assert "no-exercise: holds 48h → 72h" in done.stdout
    data = json.loads(desk.run("protocol", "diff", "mesotherapy", "--from", "1", "--json").stdout)
    assert (data["from_revision"], data["revision"]) == (1, 2)
    unknown = desk.run("protocol", "diff", "mesotherapy", "--from", "7")
    assert (unknown.exit_code, "Kept are: 1" in unknown.stderr) == (4, True)


def test_a_file_with_mistakes_is_not_compared(desk: FrontDesk) -> None:
    signed(desk)
    edit(desk, "protocols/mesotherapy.toml", 'holds = "48h"', 'holds = "48x"')
    assert desk.run("protocol", "diff", "mesotherapy").exit_code == 78
    assert desk.run("protocol", "diff", "nothing").exit_code == 4


# check, status, today -----------------------------------------------------------------------------


def test_a_lost_signature_is_seen_everywhere(leaving: FrontDesk) -> None:
    assert "mesotherapy" not in leaving.json("status")["unapproved"]
    assert "mesotherapy-basic" in leaving.json("status")["unapproved"]
    edit(leaving, "templates/en/spf.j2", "{% block sms %}", "{% block sms %}Please: ")
    assert "mesotherapy" in leaving.json("status")["unapproved"]
    why = "signed by Dr. Lund on 2026-03-27, changed since"
    for command in ("status", "today"):
        (item,) = leaving.json(command)["staff"]
        assert (item["what"], item["id"], item["why"]) == (
            "protocol", "mesotherapy", f"{why}: what falls due will wait",
        )  # fmt: skip
        assert item["do"] == "reminderd protocol diff mesotherapy"
        said = leaving.do(command)
        assert why in said
        assert "reminderd protocol diff mesotherapy" in said
    found = json.loads(leaving.run("check", "--json").stdout)["findings"]
    (approval,) = [each for each in found if why in each["message"]]
    assert approval["level"] == "problem"
    assert approval["message"] == f"mesotherapy: {why}; sessions that wait for it: 1"
    assert approval["remedy"] == "See: reminderd protocol diff mesotherapy"


def test_what_nobody_signed_is_named_before_anything_waits_for_it(leaving: FrontDesk) -> None:
    found = json.loads(leaving.run("check", "--json").stdout)["findings"]
    (approval,) = [each for each in found if each["subject"] == "approval"]
    assert approval["level"] == "note"
    assert "mesotherapy-basic" in approval["message"]


# protocol list, show ------------------------------------------------------------------------------


def test_old_revisions_stay_readable_by_number_and_by_session(desk: FrontDesk) -> None:
    longer(desk)
    desk.do("enrol", *ANA, *CARE, "--at", "2026-03-27T09:45")
    listed = {each["key"]: each for each in desk.json("protocol", "list")["protocols"]}
    assert listed["mesotherapy"]["in_use"] == [
        {"revision": 1, "sessions": 1, "is_current": False},
        {"revision": 2, "sessions": 1, "is_current": True},
    ]
    assert listed["mesotherapy-basic"]["in_use"] == []
    assert "\t1 of revision 1, 1 of revision 2\t" in desk.do("protocol", "list")
    assert holds(desk.json("protocol", "show", "mesotherapy", "--revision", "1")) == "48h"
    assert holds(desk.json("protocol", "show", "mesotherapy", "--session", "ses-1")) == "48h"
    assert holds(desk.json("protocol", "show", "mesotherapy", "--session", "ses-2")) == "72h"
    assert holds(desk.json("protocol", "show", "mesotherapy")) == "72h"
    (desk.config.parent / "protocols" / "mesotherapy.toml").write_text("no protocol")
    shown = desk.run("protocol", "show", "mesotherapy", "--revision", "1")
    assert "no-exercise\trestriction\texercise" in shown.stdout
    assert "revision 1, as it is kept; sessions under it: 1" in shown.stderr


def holds(document: Any) -> Any:
    return next(each for each in document["milestones"] if each["id"] == "no-exercise")["holds"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--revision", "9"], 4),
        (["--session", "ses-9"], 4),
        (["--revision", "1", "--session", "ses-1"], 2),
        (["--revision", "1", "--format", "md"], 2),
    ],
)
def test_what_was_never_kept_cannot_be_shown(
    desk: FrontDesk, options: list[str], code: int
) -> None:
    assert desk.run("protocol", "show", "mesotherapy", *options).exit_code == code


def test_a_session_of_another_protocol_is_not_shown_as_this_one(desk: FrontDesk) -> None:
    refused = desk.run("protocol", "show", "mesotherapy-basic", "--session", "ses-1")
    assert refused.exit_code == 4
    assert "ses-1 is a session of mesotherapy" in refused.stderr


# protocol migrate ---------------------------------------------------------------------------------


def test_sessions_go_over_with_their_plan_diff_and_are_on_record(desk: FrontDesk) -> None:
    longer(desk)
    said = desk.run("protocol", "migrate", "mesotherapy")
    assert said.exit_code == 0
    assert "1 session of 1 patient went over to revision 2." in said.stderr
    moved = "pat-1\tmoved\tses-1\t2026-03-29T10:30:00+02:00 sms\t2026-03-30T10:30:00+02:00 sms\t"
    assert moved in said.stdout
    (change,) = desk.json("session", "show", "ses-1")["history"]
    assert change["why"] == "migrated to revision 2"
    assert change["changed"] == ["mesotherapy revision 1 → 2"]
    again = desk.run("protocol", "migrate", "mesotherapy")
    assert (again.exit_code, again.stdout) == (0, "")
    assert "No session that has anything ahead is under another text" in again.stderr


def test_a_text_that_became_false_is_told_and_waits_for_staff(desk: FrontDesk) -> None:
    longer(desk)
    why = "it spoke of Sun 29 Mar 10:30, and that is Mon 30 Mar 10:30 now"
    tried = desk.json("protocol", "migrate", "mesotherapy", "--preview")["patients"][0]
    assert {each["why"] for each in tried["correction"]["untrue"]} == {why}
    assert "Monday 30 March at 10:30" in tried["correction"]["text"]["sms"]
    said = desk.do("protocol", "migrate", "mesotherapy")
    assert "pat-1: told what is no longer true (" in said
    assert why in said
    (waiting,) = desk.json("today")["staff"]
    assert (waiting["what"], waiting["do"]) == ("correction", "reminderd patient correct pat-1")
    explained = desk.json("reminder", "explain", the(desk, "no-exercise")["id"])["why"]
    assert any(why in sentence for sentence in explained)


def test_a_preview_shows_who_would_get_what_and_changes_nothing(desk: FrontDesk) -> None:
    desk.do("enrol", *ANA, *CARE, "--at", "2026-03-27T09:45")
    longer(desk)
    before = [desk.json("patient", "show", ref) for ref in ("A-1", "A-2")]
    tried = desk.json("protocol", "migrate", "mesotherapy", "--preview")
    assert tried["preview"] is True
    assert (tried["protocol"], tried["revision"], tried["sessions"]) == ("mesotherapy", 2, 2)
    assert [each["patient"] for each in tried["patients"]] == ["pat-1", "pat-2"]
    assert tried["patients"][0]["sessions"] == [{"id": "ses-1", "from_revision": 1}]
    assert (
        "nothing was changed" in desk.run("protocol", "migrate", "mesotherapy", "--preview").stderr
    )
    assert [desk.json("patient", "show", ref) for ref in ("A-1", "A-2")] == before
    assert desk.json("protocol", "migrate", "mesotherapy") == {**tried, "preview": False}
    assert [desk.json("patient", "show", ref) for ref in ("A-1", "A-2")] != before


def test_one_patient_goes_over_alone(desk: FrontDesk) -> None:
    desk.do("enrol", *ANA, *CARE, "--at", "2026-03-27T09:45")
    longer(desk)
    moved = desk.json("protocol", "migrate", "mesotherapy", "--patient", "A-2")["patients"]
    assert [each["patient"] for each in moved] == ["pat-2"]
    assert [each["revision"] for each in desk.json("session", "list")["sessions"]] == [1, 2]
    assert desk.run("protocol", "migrate", "mesotherapy", "--patient", "A-9").exit_code == 4


def test_a_text_that_nobody_signed_is_allowed_and_holds_what_leaves(leaving: FrontDesk) -> None:
    longer(leaving)
    assert the(leaving, "exercise-again")["state"] == "scheduled"
    said = leaving.run("protocol", "migrate", "mesotherapy")
    assert said.exit_code == 0
    assert 'The protocol "mesotherapy" is not approved as it is now' in said.stderr
    held = the(leaving, "exercise-again")
    assert (held["state"], held["reason"]) == ("held", "unapproved")
    leaving.do("protocol", "approve", "mesotherapy", "--by", "Dr. Lund")
    assert the(leaving, "exercise-again")["state"] == "scheduled"


def test_a_signature_says_whom_it_does_not_help(leaving: FrontDesk) -> None:
    longer(leaving)
    edit(leaving, "templates/en/spf.j2", "{% block sms %}", "{% block sms %}Please: ")
    done = leaving.run("protocol", "approve", "mesotherapy", "--by", "Dr. Lund")
    assert "reminderd protocol migrate mesotherapy --preview" in done.stderr
    (item,) = leaving.json("today")["staff"]
    assert item["do"] == "reminderd protocol migrate mesotherapy --preview"
    listed = leaving.run("protocol", "list").stderr
    assert "reminders wait: sessions are under older rules" in listed
    assert "See: reminderd protocol migrate mesotherapy --preview" in listed
    leaving.do("protocol", "migrate", "mesotherapy")
    assert leaving.json("today")["staff"] == []


def test_nobody_goes_over_to_a_file_with_mistakes(desk: FrontDesk) -> None:
    longer(desk)
    edit(desk, "protocols/mesotherapy.toml", 'holds = "72h"', 'holds = "72x"')
    refused = desk.run("protocol", "migrate", "mesotherapy")
    assert refused.exit_code == 78
    assert desk.json("session", "show", "ses-1")["session"]["revision"] == 1
