"""Whoever works for one clinic of a database finds and changes nothing of the others."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from reminderd.audit import Entry
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.errors import ConfigurationError, ReminderdError
from reminderd.interfaces import (
    Callback,
    Decision,
    NewMessage,
    Outbox,
    Prunable,
    ReminderFilter,
    Rendered,
    Reply,
    ReportFilter,
    Settlement,
)
from reminderd.model import Outcome, Receipt, SessionChange, State, ZoneChange
from tests.engines.rows import EMAIL, EVERYTHING, HOUR, NOW, SMS
from tests.engines.two_clinics import House, added, moved_in, number_from
from tests.postgres import Cluster

LATER = NOW + timedelta(days=400)
THEIRS = re.compile(r"\b70000\d\d\b|Bruna|\+34770|\bb-\w+")  # ids, words, numbers
EVERYBODYS = {"audit"}  # what is about no patient may be read by all
# What is of no clinic; `008-before-tenancy.sql` says why.
OF_NO_CLINIC = {
    "migrations",
    "notes",
    "objections",
    "protocol_versions",
    "paces",
    "turns",
    "workers",
}

Case = Callable[[Outbox, House], object]


@pytest.fixture(scope="module")
def url(cluster: Cluster) -> str:
    return cluster.migrated()


@pytest.fixture(scope="module")
def theirs(url: str) -> Iterator[DistributedOutbox]:
    outbox = DistributedOutbox(url, clinics=["b"])
    yield outbox
    outbox.close_all()


@pytest.fixture(scope="module")
def ours(url: str) -> Iterator[DistributedOutbox]:
    outbox = DistributedOutbox(url, clinics=["a"])
    yield outbox
    outbox.close_all()


@pytest.fixture(scope="module")
def alone(cluster: Cluster) -> Iterator[DistributedOutbox]:
    """The same clinic, in a database in which there are no others."""
    outbox = DistributedOutbox(cluster.migrated(), clinics=["a"])
    yield outbox
    outbox.close_all()


@pytest.fixture(scope="module")
def b(theirs: DistributedOutbox, ours: DistributedOutbox, alone: DistributedOutbox) -> House:
    for each in (ours, alone):
        moved_in(each, "a", "Anna", "+34661")
        number_from(each.url, 7_000_000)
    house = moved_in(theirs, "b", "Bruna", "+34770")
    for each in (ours, alone):
        number_from(each.url, 8_000_000)
    return house


def _of(b: House) -> NewMessage:
    return NewMessage(b.id, EMAIL, "console", (b.due,))


def _words(b: House) -> Rendered:
    return Rendered(
        b.taken.attempt_id, b.taken.message_id, "+1", "en", None, "Ours", None, 1, token="ours"
    )


def _settled(b: House) -> Settlement:
    sent = b.sent._replace(state=State.SENT, sent_at=NOW)
    return Settlement(b.taken.attempt_id, Outcome.ACCEPTED, (sent,), provider_id="ours")


def _change(o: Outbox, b: House) -> SessionChange:
    assert b.session.protocol_version is not None
    return SessionChange(b.session, o.protocol(b.session.protocol_version), NOW, "nobody")


def _prune(o: Outbox, b: House) -> object:
    return o.prune(Prunable([b.taken.message_id], 0, [b.reply]), 30, "nobody", LATER)


# How each promise of the outbox is asked for what is another clinic's, or told to change it.
CASES: Mapping[str, Case] = {
    "accepted_ids": lambda o, b: o.accepted_ids([b.provider_id]),
    "add_alert": lambda o, b: o.add_alert("a digest", ["nobody@example.org"], NOW),
    "add_answer": lambda o, b: o.add_answer(replace(b.answer, reply_id=b.waiting)),
    "add_approval": lambda o, b: None,  # names no patient
    "add_corrections": lambda o, b: o.add_corrections([b.due.id or 0], "nobody", NOW),
    "add_patients": lambda o, b: o.add_patients([replace(b.who, id=8_100_000, ref="P2")], NOW),
    "add_session_change": lambda o, b: o.add_session_change(_change(o, b)),
    "add_sessions": lambda o, b: o.add_sessions([replace(b.session, id=8_100_000)]),
    "add_statement": lambda o, b: [o.add_statement(each) for each in _said(o, b)],
    "add_zone_change": lambda o, b: o.add_zone_change(b.id, ZoneChange("Europe/Rome", NOW)),
    "alerts": lambda o, b: o.alerts("about:"),
    "answer_to": lambda o, b: o.answer_to(b.reply),
    "answers_since": lambda o, b: o.answers_since(NOW - HOUR),
    "approvals": lambda o, b: o.approvals(),
    "attempts": lambda o, b: o.attempts(b.sent.id or 0),
    "bare_facts": lambda o, b: o.bare_facts([b.id]),
    "beside": lambda o, b: None,
    "busiest_hour": lambda o, b: o.busiest_hour(NOW - HOUR),
    "callback_applied": lambda o, b: o.callback_applied(b.callback, NOW),
    "claim": lambda o, b: o.claim([_of(b)], NOW),
    "close": lambda o, b: None,
    "correspondence": lambda o, b: o.correspondence(b.id),
    "count_reminders": lambda o, b: o.count_reminders(ReminderFilter(patient_id=b.id)),
    "course_reminders": lambda o, b: o.course_reminders([b.session.id or 0]),
    "disputed": lambda o, b: o.disputed(NOW - HOUR),
    "doubt_answers": lambda o, b: o.doubt_answers(),
    "doubted_answers": lambda o, b: o.doubted_answers("console", NOW - HOUR, 99),
    "doubts": lambda o, b: o.doubts(LATER, ["console"], b.taken.attempt_id),
    "doubts_of": lambda o, b: o.doubts_of(b.sent.id or 0),
    "due_answers": lambda o, b: o.due_answers("console", NOW, 99),
    "due_facts": lambda o, b: o.due_facts([b.id], NOW),
    "due_messages": lambda o, b: o.due_messages(NOW, NOW, None, None),
    "due_patients": lambda o, b: o.due_patients(NOW, 99, []),
    "erase": lambda o, b: o.erase(b.who, NOW),
    "expire": lambda o, b: o.expire(LATER),
    "expire_answers": lambda o, b: o.expire_answers(LATER),
    "facts": lambda o, b: o.facts([b.id]),
    "figures": lambda o, b: o.figures(ReportFilter()),
    "find_patient": lambda o, b: [o.find_patient(each) for each in (f"pat-{b.id}", "P1")],
    "forget_after": lambda o, b: o.forget_after(NOW - timedelta(days=99)),
    "free_ids": lambda o, b: None,  # numbers are everybody's
    "give_up": lambda o, b: o.give_up(["another"], NOW),
    "heard": lambda o, b: o.heard(b.callback),
    "incident": lambda o, b: o.incident(b.incident.id),
    "incidents": lambda o, b: [o.incidents(False), o.incidents(True, b.id)],
    "is_our_number": lambda o, b: None,  # of the number that all write to
    "keep_alert": lambda o, b: [o.keep_alert(replace(_alert(o), id=b.alert))],
    "keep_callback": lambda o, b: o.keep_callback(
        Callback(None, b.provider_id, Receipt.FAILED), NOW
    ),
    "keep_incident": lambda o, b: o.keep_incident(replace(b.incident, closed_at=NOW)),
    "keep_reply": lambda o, b: None,  # what comes in is whose it comes to
    "known_alerts": lambda o, b: o.known_alerts(["about:Bruna"]),
    "last_sessions": lambda o, b: o.last_sessions(None),
    "left": lambda o, b: o.left(b.sent.id or 0),
    "left_since": lambda o, b: o.left_since([b.id], NOW - HOUR),
    "lift_objections": lambda o, b: o.lift_objections([(SMS, b.phone)]),
    "link_reply": lambda o, b: o.link_reply(b.waiting, b.sent.id or 0, "1"),
    "lock_patients": lambda o, b: o.lock_patients([b.id]),
    "make_secret": lambda o, b: None,
    "mark": lambda o, b: o.mark([_words(b)], NOW),
    "mark_answers": lambda o, b: o.mark_answers([replace(b.answer, token="ours")], NOW),
    "newest_attempt": lambda o, b: o.newest_attempt(),
    "newest_instants": lambda o, b: o.newest_instants(),
    "next_answer_at": lambda o, b: o.next_answer_at(["console"]),
    "next_due": lambda o, b: o.next_due([]),
    "next_incident_id": lambda o, b: None,
    "next_look_at": lambda o, b: o.next_look_at(["console"]),
    "note": lambda o, b: o.note("of b"),
    "objections": lambda o, b: o.objections([(SMS, b.phone)]),
    "objectors": lambda o, b: o.objectors(),
    "open_attempts": lambda o, b: o.open_attempts([b.taken.attempt_id]),
    "open_incidents": lambda o, b: o.open_incidents(),
    "open_patient_ids": lambda o, b: o.open_patient_ids(NOW - HOUR),
    "open_receipts": lambda o, b: o.open_receipts("console", NOW - HOUR),
    "pace": lambda o, b: None,  # by the clock
    "patients": lambda o, b: o.patients(),
    "patients_at": lambda o, b: o.patients_at("mesotherapy", NOW),
    "patients_by_ref": lambda o, b: o.patients_by_ref(["P1"]),
    "patients_under": lambda o, b: o.patients_under([b.session.protocol_version or 0]),
    "patients_with": lambda o, b: o.patients_with(SMS, b.phone),
    "pin_protocol": lambda o, b: None,
    "pinned": lambda o, b: None,  # texts of protocols are nobody's
    "protocol": lambda o, b: None,
    "prunable": lambda o, b: o.prunable(30, LATER),
    "prune": _prune,
    "question": lambda o, b: o.question(b.sent.id or 0),
    "questions": lambda o, b: o.questions(ReportFilter()),
    "questions_to": lambda o, b: o.questions_to([b.id], NOW - HOUR, LATER),
    "record": lambda o, b: o.record([Entry(NOW, "nobody", "done", "none")]),
    "recover": lambda o, b: o.recover(LATER),
    "reminder": lambda o, b: o.reminder(b.sent.id or 0),
    "reminders": lambda o, b: o.reminders(EVERYTHING),
    "replies": lambda o, b: [o.replies(), o.replies(patient_id=b.id), o.replies(for_staff=True)],
    "reply": lambda o, b: [o.reply(b.reply), o.reply(b.waiting)],
    "reply_done": lambda o, b: o.reply_done(b.reply, "nobody", NOW),
    "reply_handled": lambda o, b: [
        o.reply_handled(each, Decision("seen"), [], NOW) for each in (b.reply, b.waiting)
    ],
    "reserve_ids": lambda o, b: None,
    "save_answers": lambda o, b: o.save_answers([replace(b.answer, code="ours")]),
    "save_reminders": lambda o, b: o.save_reminders(
        [b.due._replace(state=State.CANCELLED, wake_at=None)]
    ),
    "scrub": lambda o, b: None,
    "secret": lambda o, b: None,
    "segments": lambda o, b: o.segments(ReportFilter()),
    "session": lambda o, b: o.session(b.session.id or 0),
    "sessions": lambda o, b: [o.sessions(), o.sessions(b.id)],
    "set_note": lambda o, b: o.set_note("of b", "ours"),
    "settle": lambda o, b: o.settle([_settled(b)], NOW),
    "signed": lambda o, b: o.signed(f"signed for {b.id}"),
    "silent_check_ins": lambda o, b: o.silent_check_ins(LATER),
    "statements": lambda o, b: o.statements(b.id),
    "stops": lambda o, b: o.stops(b.phone),
    "stranded_answers": lambda o, b: o.stranded_answers(),
    "take_back": lambda o, b: o.take_back(b.id, NOW),
    "tally": lambda o, b: o.tally(),
    "told": lambda o, b: o.told(b.id),
    "trail": lambda o, b: [each.entry for each in (*o.trail(), *o.trail(b.id))],
    "trail_fault": lambda o, b: o.trail_fault(),
    "trail_head": lambda o, b: None,
    "transaction": lambda o, b: None,
    "treated_until": lambda o, b: o.treated_until([b.id]),
    "trial": lambda o, b: None,
    "turn": lambda o, b: None,
    "untold_alerts": lambda o, b: o.untold_alerts(),
    "update_patient": lambda o, b: o.update_patient(replace(b.who, given_name="Ours"), NOW),
    "update_session": lambda o, b: o.update_session(replace(b.session, area="ours")),
    "vitals": lambda o, b: o.vitals(0),
    "waiting_alerts": lambda o, b: o.waiting_alerts(LATER),
    "waiting_callbacks": lambda o, b: o.waiting_callbacks(None, 99),
    "waiting_replies": lambda o, b: [
        o.waiting_replies(None, 99), o.waiting_replies(None, 99, [b.waiting])
    ],
    "waiting_words": lambda o, b: o.waiting_words(None, 0),
    "workers": lambda o, b: None,  # machines are nobody's
}  # fmt: skip
PROMISES = sorted(name for name in dir(Outbox) if not name.startswith("_"))


@pytest.mark.parametrize("promise", PROMISES)
def test_no_promise_of_the_outbox_crosses_to_another_clinic(
    promise: str,
    ours: DistributedOutbox,
    theirs: DistributedOutbox,
    alone: DistributedOutbox,
    b: House,
) -> None:
    before = _everything(theirs)
    assert _told(ours, promise, b) == _told(alone, promise, b)
    assert _everything(theirs) == before


def test_every_table_of_a_patients_is_scoped_and_the_others_are_known(url: str) -> None:
    with psycopg.connect(url) as opened:
        scoped = dict(
            opened.execute(
                "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class "
                "WHERE relnamespace = 'reminderd'::regnamespace AND relkind IN ('r', 'p')"
            ).fetchall()
        )
    assert {name for name, is_scoped in scoped.items() if not is_scoped} == OF_NO_CLINIC


def test_what_somebody_asks_in_words_of_their_own_is_scoped_too(
    ours: DistributedOutbox, theirs: DistributedOutbox, b: House
) -> None:
    before = _everything(theirs)
    for table in before:
        assert not THEIRS.search(repr(ours.rows(f"SELECT * FROM {table}"))), table
    ours.rows("UPDATE patients SET given_name = 'Ours' WHERE id = %s", (b.id,))
    ours.rows("DELETE FROM consents WHERE patient = %s", (b.id,))
    with ours.beside():
        ours.execute(
            "UPDATE reminders SET state = 'held', wake_at = NULL WHERE id = ?", (b.due.id,)
        )
    assert _everything(theirs) == before


def _everything(outbox: DistributedOutbox) -> dict[str, list[Any]]:
    """All rows of every scoped table, as one who works for that clinic finds them."""
    tables = outbox.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'reminderd'::regnamespace "
        "AND relrowsecurity"
    )
    return {
        name: outbox.rows(f"SELECT each::text FROM {name} AS each ORDER BY 1")
        for (name,) in tables
        if name not in EVERYBODYS
    }


def _told(outbox: DistributedOutbox, promise: str, b: House) -> str:
    """What comes of it, for somebody who wants what is the other clinic's."""
    try:
        if promise == "prune":  # has units of work of its own
            return repr(CASES[promise](outbox, b))
        with outbox.transaction():
            return repr(CASES[promise](outbox, b))
    except (ReminderdError, ValueError, LookupError) as refused:
        return type(refused).__name__


def _said(o: Outbox, b: House) -> Any:
    (mine,) = [each for each in o.patients() if each.given_name == "Anna"]
    return [replace(each, patient_id=b.id) for each in o.statements(mine.id or 0)]


def _alert(o: Outbox) -> Any:
    return o.alerts("about:Anna")[0]


@pytest.mark.parametrize("way", ["direct", "pgbouncer"])
def test_a_worker_takes_nothing_of_another_clinic_also_where_connections_are_pooled(
    request: pytest.FixtureRequest, postgresql: str, way: str
) -> None:
    url = postgresql if way == "direct" else request.getfixturevalue("pgbouncer")(postgresql)
    ours, theirs = (DistributedOutbox(url, clinics=[each]) for each in "ab")
    moved_in(ours, "a", "Anna", "+34661")
    b = moved_in(theirs, "b", "Bruna", "+34770")
    for _ in range(5):
        assert [each.clinic for each in ours.patients()] == ["a"]
        assert [each.clinic for each in theirs.patients()] == ["b"]
    assert b.id not in ours.due_patients(NOW, 99)
    assert theirs.due_patients(NOW, 99) == [b.id]
    with ours.transaction():
        ours.expire(LATER)
        ours.recover(LATER)
    assert theirs.reminder(b.due.id or 0) == b.due
    assert theirs.open_attempts([b.taken.attempt_id]) == {b.taken.attempt_id}
    everything = DistributedOutbox(url)
    assert [each.clinic for each in everything.patients()] == ["a", "b"]
    for each in (ours, theirs, everything):
        each.close_all()


def test_what_comes_in_waits_for_whom_it_came_to(
    ours: DistributedOutbox, theirs: DistributedOutbox, b: House
) -> None:
    with theirs.transaction():
        theirs.keep_reply("console", Reply("from-nobody", "+1", "+2", "Who is this?"), NOW)
    assert "from-nobody" in repr(theirs.waiting_replies(None, 99))
    assert "from-nobody" not in repr(ours.waiting_replies(None, 99))


def test_a_patient_is_moved_by_whoever_works_for_both_clinics(url: str, b: House) -> None:
    both = DistributedOutbox(url, clinics=["a", "b"])
    ours = DistributedOutbox(url, clinics=["a"])
    who = added(both, "b", phone="+34771")
    with both.transaction():
        both.update_patient(replace(who, clinic="a"), NOW)
    with pytest.raises(ConfigurationError, match="row-level security"), ours.transaction():
        ours.update_patient(replace(who, clinic="b"), NOW)
    assert ours.find_patient(f"pat-{who.id}") is not None
    both.close_all()
    ours.close_all()
