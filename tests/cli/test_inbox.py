"""`inbox`: what patients wrote, read by whoever asks for it, and off the list once it is done."""

import json
from contextlib import closing

import pytest

from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.incoming import Replies
from reminderd.interfaces import Reply
from tests.cli.desk import NOW, Clinic

WORDS = "Is it normal that it itches?"


@pytest.fixture
def inbox(clinic: Clinic) -> Clinic:
    """Vera has written, and somebody whom nobody knows."""
    clinic.enrols()
    (vera,) = clinic.data("patient", "list")["patients"]
    path = next(clinic.folder.rglob("*.db"))
    with closing(EmbeddedOutbox(path)) as outbox:
        with outbox.transaction():
            outbox.keep_reply("twilio", Reply("SM1", vera["phone"], "+34910000000", WORDS), NOW)
            outbox.keep_reply("twilio", Reply("SM2", "22000", "+34910000000", "Win!", 1), NOW)
        Replies(outbox).apply(None, NOW)
    return clinic


def test_what_waits_is_listed_the_latest_first(inbox: Clinic) -> None:
    found = inbox.data("inbox", "list")["replies"]
    assert [(each["id"], each["text"], each["media"]) for each in found] == [
        ("rep-2", "Win!", 1), ("rep-1", WORDS, 0),
    ]  # fmt: skip
    assert WORDS in inbox.says("inbox", "list")
    (one,) = inbox.data("inbox", "list", "--patient", "pat-1")["replies"]
    assert one["id"] == "rep-1"


def test_one_is_shown_in_full(inbox: Clinic) -> None:
    shown = inbox.data("inbox", "show", "rep-1")
    assert (shown["patients"], shown["decision"], shown["waits"]) == (["pat-1"], "staff", True)
    assert WORDS in inbox.says("inbox", "show", "rep-1")


def test_the_staffs_list_names_it_and_keeps_its_words(inbox: Clinic) -> None:
    for command in ("today", "status"):
        said = inbox.says(command, "--json")
        ids = [each["id"] for each in json.loads(said)["staff"] if each["what"] == "reply"]
        assert ids == ["rep-1", "rep-2"]
        assert WORDS not in said


def test_once_it_is_done_it_leaves_the_list_and_the_trail_says_who(inbox: Clinic) -> None:
    inbox.says("inbox", "done", "rep-1", "--by", "Ana")
    assert [each["id"] for each in inbox.data("inbox", "list")["replies"]] == ["rep-2"]
    done = inbox.data("inbox", "list", "--all")["replies"][1]
    assert (done["done_by"], done["waits"]) == ("Ana", False)
    (entry,) = [each for each in inbox.data("audit")["entries"] if each["what"] == "rep-1"]
    assert (entry["action"], entry["by"]) == ("reply-done", "Ana")
    assert "waits for nobody" in inbox.types("inbox", "done", "rep-1").stderr
    assert inbox.data("inbox", "show", "rep-1")["done_by"] == "Ana"


@pytest.mark.parametrize("name", ["rep-9", "pat-1", "nobody"])
def test_what_is_not_there_is_said_in_plain_words(inbox: Clinic, name: str) -> None:
    for command in ("show", "done"):
        result = inbox.types("inbox", command, name)
        assert result.exit_code == 4
        assert "inbox list --all" in result.stderr
