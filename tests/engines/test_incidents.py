"""What every engine's outbox keeps of red flags, and what it says of sessions meanwhile."""

from dataclasses import replace
from datetime import timedelta

from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.engines.tables.pruning import prunable, prune
from reminderd.interfaces import Decision, Reply
from reminderd.model import Patient, SessionState, Severity
from reminderd.outbox_values import Incident
from tests.engines.rows import EITHER_WAY, LATER, NOW, problems, with_patient, with_session

NUMBER = "+34600000001"


def opened(outbox: TablesOutbox, *patients: Patient) -> Incident:
    """One about a reply that came just now, from a number that these have."""
    with outbox.transaction():
        number = outbox.next_incident_id()
        outbox.keep_reply("twilio", Reply(f"SM{number}", NUMBER, "+34600000000", "I have…"), NOW)
        (reply, *_) = outbox.replies()
        whom = tuple(each.id or 0 for each in patients)
        one = Incident(number, Severity.URGENT, NUMBER, whom, (reply.id,), NOW, NOW)
        outbox.keep_incident(one)
    return one


@EITHER_WAY
def test_an_incident_is_kept_with_everything_about_it(outbox: TablesOutbox) -> None:
    who = with_patient(outbox)
    session = with_session(outbox, who)
    one = replace(opened(outbox, who), sessions=(session.id or 0,))
    assert outbox.incidents(open_only=True) == [one]
    assert outbox.incident(one.id) == one
    ended = replace(
        one, severity=Severity.EMERGENCY, raised_at=LATER, acknowledged_at=LATER,
        acknowledged_by="Bo Tarn", closed_at=LATER, closed_by="Cy Tarn", why="Seen by the doctor.",
    )  # fmt: skip
    with outbox.transaction():
        outbox.keep_incident(ended)
    assert outbox.incidents(open_only=True) == []
    assert outbox.incidents(open_only=False) == [ended]
    assert problems(outbox) == []


def test_those_of_one_patient_are_found_and_one_of_nobody_is_nobodys(
    outbox: TablesOutbox,
) -> None:
    ana, bo = with_patient(outbox), with_patient(outbox)
    theirs = opened(outbox, ana, bo)
    nobodys = opened(outbox)
    assert nobodys.id == theirs.id + 1
    assert outbox.incidents(False, ana.id) == [theirs]
    assert outbox.incidents(True, bo.id) == [theirs]
    assert outbox.incidents(True) == [theirs, nobodys]


def test_a_session_that_took_place_by_then_says_which_open_incident_it_waits_for(
    outbox: TablesOutbox,
) -> None:
    who, other = with_patient(outbox), with_patient(outbox)
    session, ahead = with_session(outbox, who), with_session(outbox, who, at=LATER)
    somebody_elses = with_session(outbox, other)
    one = opened(outbox, who)
    assert [each.withheld_by for each in outbox.sessions()] == [one.id, None, None]
    (facts,) = outbox.facts([who.id or 0])
    assert [each.withheld_by for each in facts.sessions] == [one.id, None]
    entered_late = with_session(outbox, who, recorded_at=LATER)
    (known,) = outbox.incidents(open_only=True)
    assert known.sessions == (session.id, entered_late.id)
    with outbox.transaction():
        outbox.keep_incident(replace(one, closed_at=LATER))
    assert outbox.sessions() == [session, somebody_elses, entered_late, ahead]


def test_where_there_are_two_it_waits_until_both_are_closed(outbox: TablesOutbox) -> None:
    who = with_patient(outbox)
    with_session(outbox, who)
    first, second = opened(outbox, who), opened(outbox, who)
    with outbox.transaction():
        outbox.keep_incident(replace(second, closed_at=LATER))
    (waiting,) = outbox.sessions()
    assert waiting.withheld_by == first.id


def test_when_somebody_was_treated_last_is_known(outbox: TablesOutbox) -> None:
    ana, bo = with_patient(outbox), with_patient(outbox)
    with_session(outbox, ana)
    with_session(outbox, ana, at=LATER, state=SessionState.BOOKED)
    with_session(outbox, bo, at=NOW - timedelta(days=1))
    assert outbox.treated_until([ana.id or 0, bo.id or 0]) == NOW
    assert outbox.treated_until([bo.id or 0]) == NOW - timedelta(days=1)
    assert outbox.treated_until([]) is None


def test_another_reply_and_patient_join_it_and_none_is_lost(outbox: TablesOutbox) -> None:
    ana, bo = with_patient(outbox), with_patient(outbox)
    one = opened(outbox, ana)
    other = opened(outbox, bo)
    joined = replace(one, patients=(bo.id or 0,), replies=other.replies)
    with outbox.transaction():
        outbox.keep_incident(joined)
    found = outbox.incident(one.id)
    assert found is not None
    assert (found.patients, found.replies) == ((ana.id, bo.id), (*one.replies, *other.replies))
    assert outbox.open_incidents() == [found, other]
    assert outbox.incident(99) is None


# What is removed ---------------------------------------------------------------------------------


@EITHER_WAY
def test_of_somebody_who_is_erased_the_bare_fact_stays(outbox: TablesOutbox) -> None:
    who, other = with_patient(outbox), with_patient(outbox, phone="+34600000002")
    own = opened(outbox, who)
    shared = opened(outbox, who, other)
    before = opened(outbox)  # the number was nobody's then
    with outbox.transaction():
        outbox.keep_incident(replace(own, why="Seen."))
        outbox.erase(who, LATER)
    left = {each.id: each for each in outbox.incidents(open_only=False)}
    assert left[own.id] == replace(own, number="", patients=())
    assert left[before.id] == replace(before, number="")
    assert left[shared.id] == replace(shared, patients=(other.id or 0,))


def test_an_old_one_loses_its_number_with_the_words_of_its_last_reply(
    outbox: TablesOutbox,
) -> None:
    closed, still = opened(outbox), opened(outbox)
    with outbox.transaction():
        for number in (1, 2):
            outbox.reply_handled(number, Decision("urgent", for_staff=False), [], NOW)
        outbox.keep_incident(replace(closed, closed_at=NOW, why="Seen."))
    a_year_later = NOW + timedelta(days=366)
    found = prunable(outbox, 365, a_year_later)
    assert found.replies == closed.replies
    prune(outbox, found, 365, "Dr. Alba", a_year_later)
    assert outbox.incidents(open_only=False) == [replace(closed, number="", closed_at=NOW), still]
