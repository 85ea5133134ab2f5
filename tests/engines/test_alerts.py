"""What every engine's outbox remembers of who at the clinic is to be told."""

from dataclasses import replace
from datetime import timedelta

from reminderd.engines.tables.outbox import TablesOutbox
from tests.engines.rows import EITHER_WAY, LATER, NOW

MINUTE = timedelta(minutes=1)
BO, CY = "bo@example.org", "cy@example.org"


def added(outbox: TablesOutbox, key: str = "incident/1/first", *recipients: str) -> None:
    with outbox.transaction():
        outbox.add_alert(key, recipients or (BO, CY), NOW)


@EITHER_WAY
def test_each_recipient_is_told_of_a_thing_once(outbox: TablesOutbox) -> None:
    added(outbox)
    added(outbox)
    assert [each.recipient for each in outbox.waiting_alerts(NOW)] == [BO, CY]
    assert outbox.known_alerts(["incident/1/first", "incident/2/first"]) == {"incident/1/first"}


@EITHER_WAY
def test_what_was_sent_waits_no_more_and_what_failed_waits_until_it_is_tried_again(
    outbox: TablesOutbox,
) -> None:
    added(outbox)
    bo, cy = outbox.waiting_alerts(NOW)
    with outbox.transaction():
        outbox.keep_alert(replace(bo, wake_at=None, sent_at=LATER))
        outbox.keep_alert(replace(cy, wake_at=NOW + MINUTE, tries=1, error="nobody answers"))
    assert outbox.waiting_alerts(NOW) == []
    (again,) = outbox.waiting_alerts(NOW + MINUTE)
    assert (again.recipient, again.tries, again.error) == (CY, 1, "nobody answers")
    assert outbox.untold_alerts() == [again]
    assert outbox.alerts("incident/1/")[0].sent_at == LATER


def test_those_about_one_thing_are_found_by_how_their_keys_begin(outbox: TablesOutbox) -> None:
    for key in ("incident/1/first", "incident/1/second", "incident/12/first", "hold/clock"):
        added(outbox, key, BO)
    assert [each.key for each in outbox.alerts("incident/1/")] == [
        "incident/1/first",
        "incident/1/second",
    ]
