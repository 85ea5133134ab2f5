"""Two machines see the same thing waiting: it is acted on once, on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from reminderd import holding
from reminderd.alerting import Alerting, Recipients, Ways
from reminderd.audit import DAEMON
from reminderd.clock import VirtualClock
from reminderd.errors import CredentialsRefused, InDoubt, Refused
from reminderd.interfaces import Callback, News, Reply
from reminderd.model import Adjustment, Channel, Message, Outcome, Receipt, Reminder
from reminderd.polling import EVERY, Polling
from reminderd.watch import Watch
from tests.core.build import state
from tests.core.desk import Post
from tests.core.machines import Clinic, Machine, clinic_on
from tests.core.test_doubts import Letterbox

VERA, CLINIC = "+34600000001", "+34600000000"
TREATED, DUE = "2026-03-10 09:00", "2026-03-10 10:00"
MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def clinic(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clinic]:
    on_server = request.param == "postgresql"
    url = request.getfixturevalue("postgresql") if on_server else None
    with clinic_on(tmp_path, url) as clinic:
        yield clinic


def due(clinic: Clinic, count: int = 1, **facts: str) -> None:
    """So many patients have a message due now."""
    for number in range(count):
        who = clinic.desk.patient(f"Vera{number}", **facts)
        clinic.desk.treat(who, TREATED)
    clinic.desk.clock.move_to(clinic.desk.clock.now() + timedelta(hours=1))


def writes(clinic: Clinic, text: str) -> None:
    outbox = clinic.desk.outbox
    with outbox.beside():
        outbox.keep_reply("console", Reply("SM1", VERA, CLINIC, text), clinic.desk.now)


def left(*machines: Machine) -> int:
    return sum(len(each.sms.sent) + len(each.email.sent) for each in machines)


# What is due --------------------------------------------------------------------------------------


def test_each_message_leaves_once_whoever_claims_it(clinic: Clinic) -> None:
    due(clinic, 24)
    machines = [clinic.machine() for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Machine.drain, machines))
    for machine in machines:
        machine.drain()  # what another one held just then
    texts = sorted(message.id for each in machines for message in each.sms.sent)
    assert len(texts) == len(set(texts)) == 24
    assert {(state(each), each.attempts) for each in clinic.desk.reminders(protocol="care")} == {
        ("sent", 1), ("scheduled", 0)
    }  # fmt: skip


def test_what_another_one_took_is_not_sent_and_one_goes_on(clinic: Clinic) -> None:
    due(clinic, 3)
    one, other = clinic.machine(), clinic.machine()
    one.first(other.drain, before="beside")
    one.drain()
    assert left(one) + left(other) == 3


def test_whom_somebody_works_on_is_looked_at_again_soon_and_nobody_waits_for_that(
    tmp_path: Path, postgresql: str
) -> None:
    with clinic_on(tmp_path, postgresql) as clinic:
        due(clinic, 3)
        machine, desk = clinic.machine(), clinic.desk
        with desk.outbox.transaction():
            desk.outbox.lock_patients([2])
            machine.drain()
            assert len(machine.sms.sent) == 2
            assert machine.dispatch.next_wake_at(desk.now) == desk.now + timedelta(seconds=1)
        machine.drain()
        assert len(machine.sms.sent) == 3


def test_what_a_machine_had_that_died_leaves_by_another_and_by_no_two(
    tmp_path: Path, postgresql: str
) -> None:
    with clinic_on(tmp_path, postgresql) as clinic:
        due(clinic, 3)
        stopped, other = clinic.machine(), clinic.machine()

        def gone_for_long(_: Message) -> None:
            """It stands still while it hands over the first; the others think it dead."""
            clinic.desk.outbox.rows(
                "UPDATE workers SET seen_at = seen_at - 15000 WHERE id = %s",
                (stopped.outbox.worker,),
            )
            with other.outbox.transaction():
                other.outbox.recover(clinic.desk.now)
            other.drain()

        stopped.sms.script(gone_for_long)
        stopped.drain()
        assert (len(stopped.sms.sent), len(other.sms.sent)) == (1, 2)
        notes = [each for each in clinic.desk.reminders() if each.milestone == "note"]
        assert {(state(each), each.attempts) for each in notes} == {("sent", 1)}


def test_what_leaves_while_staff_try_it_again_leaves_once(tmp_path: Path, postgresql: str) -> None:
    with clinic_on(tmp_path, postgresql) as clinic:
        due(clinic)
        machine, desk = clinic.machine(), clinic.desk
        name = f"rem-{desk.the('note').id}"
        read = desk.outbox.reminder

        def leaves_after_it_was_read(number: int) -> Reminder | None:
            found = read(number)
            desk.outbox.__dict__["reminder"] = read
            machine.drain()
            return found

        desk.outbox.__dict__["reminder"] = leaves_after_it_was_read
        with pytest.raises(Refused, match="is sent"):
            desk.intake.retry_reminder(name, desk.now)
        machine.drain()
        assert left(machine) == 1


def test_what_two_decide_about_a_session_at_once_both_holds(clinic: Clinic) -> None:
    due(clinic)
    other, desk = clinic.machine(), clinic.desk
    off = Adjustment("Dr. Alba", "not for her", off=True)
    other.first(lambda: desk.intake.adjust_session("ses-1", "check-in", off, desk.now))
    other.house.intake.adjust_session("ses-1", "note", off, desk.now)
    (session,) = desk.outbox.sessions()
    assert set(session.adjustments) == {"check-in", "note"}


# What came in -------------------------------------------------------------------------------------


def test_a_callback_is_applied_once(clinic: Clinic) -> None:
    due(clinic)
    one, other = clinic.machine(), clinic.machine()
    one.drain()
    (reminder,) = [each for each in clinic.desk.reminders() if each.milestone == "note"]
    told = Callback(
        None, reminder.provider_id or "", Receipt.UNDELIVERED, "30005", Outcome.WRONG_ADDRESS
    )
    with clinic.desk.outbox.beside():
        clinic.desk.outbox.keep_callback(told, clinic.desk.now)
    one.first(lambda: other.dispatch.tend(clinic.desk.now))
    one.drain()
    other.drain()
    assert (len(one.email.sent) + len(other.email.sent), clinic.desk.the().channel) == (
        1, Channel.EMAIL
    )  # fmt: skip
    trail = clinic.desk.outbox.trail(patient_id=1)
    assert [each.entry.by for each in trail].count(DAEMON) == 1


def test_a_reply_is_decided_about_once_and_answered_once(clinic: Clinic) -> None:
    clinic.desk.patient()
    one, other = clinic.machine(), clinic.machine()
    writes(clinic, "I cannot breathe")
    decided: list[object] = []

    def decides() -> None:
        other.drain()
        decided.append((clinic.desk.outbox.replies(), len(clinic.desk.outbox.trail())))

    one.first(decides)
    one.drain()
    assert (clinic.desk.outbox.replies(), len(clinic.desk.outbox.trail())) == decided[0]
    assert left(one, other) == 1
    assert len(clinic.desk.outbox.incidents(open_only=False)) == 1


def test_an_answer_leaves_once(clinic: Clinic) -> None:
    clinic.desk.patient()
    one, other, desk = clinic.machine(), clinic.machine(), clinic.machine()
    writes(clinic, "I cannot breathe")
    desk.dispatch._replies.apply(None, clinic.desk.now)
    one.first(other.drain)  # between the look at what waits and the mark
    one.drain()
    assert left(one, other) == 1


def test_what_a_provider_lists_is_kept_once(clinic: Clinic) -> None:
    news = [Reply("SM1", VERA, CLINIC, "thank you")]
    one, other = (asking(clinic.machine(), news) for _ in range(2))
    for each in (one, other, one):
        each.poll(clinic.desk.now, at_once=True)
    assert len(clinic.desk.outbox.replies()) == 1


@pytest.mark.parametrize("after", [0, 1], ids=["before it is added", "before it is told"])
def test_staff_are_told_once(clinic: Clinic, after: int) -> None:
    clinic.desk.patient()
    writes(clinic, "I cannot breathe")
    one, other = clinic.machine(), clinic.machine()
    one.dispatch.tend(clinic.desk.now)
    here, there = telling(one), telling(other)
    one.first(lambda: there.look(clinic.desk.now), after=after)
    here.look(clinic.desk.now)
    here.look(clinic.desk.now)
    assert [len(one.email.sent), len(other.email.sent)] == [0, 1]


def test_callbacks_about_many_are_applied_beside_whoever_sends_to_them(
    tmp_path: Path, postgresql: str
) -> None:
    with clinic_on(tmp_path, postgresql) as clinic:
        due(clinic, 3)
        machine = clinic.machine()
        machine.drain()
        sids = [each.provider_id or "" for each in clinic.desk.reminders() if each.sent_at]
        with machine.outbox.beside():
            for sid in reversed(sids):
                told = Callback(None, sid, Receipt.DELIVERED)
                machine.outbox.keep_callback(told, clinic.desk.now)
        free = "SELECT id FROM patients ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
        with machine.outbox.transaction():
            machine.outbox.waiting_callbacks(None, 2)
            assert clinic.desk.outbox.rows(free) == [(1,)]


# What is in doubt ---------------------------------------------------------------------------------


def test_a_copy_leaves_once_for_each_look(clinic: Clinic) -> None:
    one, other = clinic.machine(email=Letterbox()), clinic.machine(email=Letterbox())
    one.email.script(InDoubt("no reply to the dot"), InDoubt("none again"))
    other.email.script(InDoubt("none again"))
    due(clinic, channels="email")
    one.drain()
    clinic.desk.clock.move(MINUTE)
    one.first(lambda: other.dispatch.look(clinic.desk.now))
    one.dispatch.look(clinic.desk.now)
    assert len(one.email.copies) + len(other.email.copies) == 2
    clinic.desk.clock.move(timedelta(hours=2))
    one.drain()
    assert [state(each) for each in clinic.desk.reminders() if each.milestone == "note"] == ["sent"]


# What keeps from sending --------------------------------------------------------------------------


def test_a_transport_that_rests_does_so_for_all_and_who_met_with_it_tries_first(
    clinic: Clinic,
) -> None:
    due(clinic, 3)
    one, other = clinic.machine(), clinic.machine()
    other.drain = lambda: other.dispatch.drain(clinic.desk.now)  # type: ignore[method-assign]
    assert other.dispatch.next_wake_at(clinic.desk.now) is not None
    one.sms.script(CredentialsRefused("who are you"))
    one.drain()
    other.drain()
    assert (one.sms.asked, other.sms.asked) == (1, 0)
    first, later = (
        each.dispatch.next_wake_at(clinic.desk.now) or clinic.desk.now for each in (one, other)
    )
    assert first == clinic.desk.now + 5 * MINUTE
    assert timedelta(seconds=5) <= later - first <= timedelta(seconds=10)


def test_who_starts_while_others_rest_tries_at_once(clinic: Clinic) -> None:
    due(clinic, 3)
    one = clinic.machine()
    one.sms.script(CredentialsRefused("who are you"))
    one.drain()
    started = clinic.machine()
    started.drain()
    assert len(started.sms.sent) == 3


def test_what_staff_have_let_go_is_not_held_again_by_who_asked_before(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reminderd.watch.ALWAYS_USUAL", 2)
    due(clinic, 3)
    clinic.desk.clock.move(timedelta(days=1))
    outbox, now = clinic.desk.outbox, clinic.desk.now
    late = [each._replace(expires_at=now + timedelta(days=1)) for each in clinic.desk.reminders()]
    with outbox.transaction():
        outbox.save_reminders(late)
    one, other = (watching(clinic) for _ in range(2))
    machine, watch = one

    def asked_and_let_go() -> None:
        assert other[1].now() is None
        with outbox.transaction():
            assert holding.release(outbox, None, "nurse", now)

    machine.first(asked_and_let_go)
    assert watch.now() == now
    assert holding.held(outbox) == []


def watching(clinic: Clinic) -> tuple[Machine, Watch]:
    machine = clinic.machine()
    seconds = iter(range(10_000))
    return machine, Watch(machine.outbox, clinic.desk.clock, 1, lambda: next(seconds) * 1e-6)


class Listing(Post):
    """A provider that lists what it was told."""

    def __init__(self, news: list[Reply], clock: VirtualClock) -> None:
        super().__init__()
        self._news, self._clock = news, clock

    def news(self, since: object) -> list[News]:
        return [News(self._clock.now(), each) for each in self._news]

    def receipt(self, provider_id: str) -> Callback:
        return Callback(None, provider_id, Receipt.SENT)


def telling(machine: Machine) -> Alerting:
    """Who tells staff, by the mail of that machine."""
    front = "front@example.org"
    return Alerting(machine.house, Ways(Recipients([front], [], frozenset([front])), machine.email))


def asking(machine: Machine, news: list[Reply]) -> Polling:
    return Polling(machine.outbox, "console", Listing(news, machine.clock), EVERY)
