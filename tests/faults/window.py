"""Whether a message may leave at an instant: expiry, quiet hours, what other sessions forbid."""

from collections.abc import Collection, Iterator
from datetime import datetime

from reminderd.hours import quiet_period
from reminderd.model import Chart, QuietPolicy, Reminder, State
from reminderd.timing import ban_on, bans, treatments


def why_not(chart: Chart, carried: Collection[int | None], at: datetime) -> Iterator[str]:
    """What forbids that these of the patient's reminders leave at that instant."""
    asleep = quiet_period(chart.timezone, chart.clinic.quiet_hours, at)
    forbidden = bans(treatments(chart))
    for each in chart.reminders:
        if each.id not in carried or each.state is State.FAILED:
            continue
        name = f"rem-{each.id} {each.milestone}"
        if at >= each.expires_at:
            yield f"{name}: left at {at}, expired at {each.expires_at}"
        if asleep and not _wakes(chart, each):
            yield f"{name}: left in quiet hours at {at}"
        if each.kind in ("release", "routine") and ban_on(forbidden, each.topics, at):
            yield f"{name}: left at {at}, while another session forbids it"


def calls_well(
    chart: Chart, carried: Collection[int | None], ill_since: datetime | None
) -> Iterator[str]:
    """What of it reassures about a treatment, while a red flag after that is open."""
    if ill_since is None:
        return
    treated = {each.id for each in chart.sessions if each.at <= ill_since}
    failed = {each.id for each in chart.reminders if each.state is State.FAILED}
    for each in chart.reminders:
        reassures = each.kind in ("release", "routine", "inform", "course")
        if reassures and each.id in {*carried} - failed and each.session_id in treated:
            yield f"rem-{each.id} {each.milestone}: left with a red flag open since {ill_since}"


def _wakes(chart: Chart, reminder: Reminder) -> bool:
    milestone = chart.protocols[reminder.session_id].milestone(reminder.milestone)
    return milestone is not None and milestone.quiet is QuietPolicy.IGNORE
