"""What became of each fault, in reminders that it struck."""

import re
from collections import Counter
from collections.abc import Collection, Mapping

from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.interfaces import ReminderFilter
from reminderd.model import Reminder, State

FATES = (
    "at once", "sent later", "by the list", "by callback", "by a copy", "other channel",
    "staff say so",
    "unknown", "failed", "expired", "called off", "BROKEN",
)  # fmt: skip
ENDS = {
    State.UNKNOWN: "unknown", State.FAILED: "failed", State.EXPIRED: "expired",
    State.CANCELLED: "called off", State.SKIPPED: "called off",
}  # fmt: skip
_CARRIED = (
    "SELECT message_reminders.reminder, messages.id, channel, outcome, "
    "settled_at - marked_at < 25000, "
    "EXISTS (SELECT 1 FROM callbacks WHERE callbacks.attempt = attempts.id) "
    "FROM message_reminders JOIN messages ON messages.id = message_reminders.message "
    "JOIN attempts ON attempts.message = messages.id"
)


def fates(
    outbox: EmbeddedOutbox, faults_of: Mapping[int, Collection[str]], wrongs: Collection[str]
) -> Counter[tuple[str, str]]:
    """By fault and fate, how many reminders."""
    broken = {name for each in wrongs for name in re.findall(r"(?:rem|msg)-\d+", each)}
    reminders = {each.id: each for each in outbox.reminders(ReminderFilter())}
    found = Counter[tuple[str, str]]()
    for id, message, *how in outbox.query(_CARRIED):
        for fault in faults_of.get(message, ()):
            is_broken = {f"rem-{id}", f"msg-{message}"} & broken
            found[fault, "BROKEN" if is_broken else _fate(reminders[id], *how)] += 1
    return found


def _fate(reminder: Reminder, channel: str, outcome: str, soon: bool, told: bool) -> str:
    """How a reminder ended of which one message was struck, by that message's attempt."""
    if reminder.state is not State.SENT:
        return ENDS[reminder.state]
    if reminder.channel != channel:
        return "other channel"
    if outcome != "accepted":
        return "staff say so" if reminder.provider_id is None else "sent later"
    if channel == "email":
        return "at once" if soon else "by a copy"
    return "by callback" if told else "by the list"


def table(found: Counter[tuple[str, str]]) -> str:
    """Fault by fate; the first column is how often it struck."""
    columns = ("struck", *FATES)
    lines = [f"{'fault':33}" + "  ".join(columns)]
    for fault in sorted({fault for fault, _ in found}):
        counts = [found[fault, each] for each in FATES]
        cells = zip(columns, (sum(counts), *counts), strict=True)
        lines.append(f"{fault:33}" + "  ".join(f"{n or '.':>{len(each)}}" for each, n in cells))
    return "\n".join(lines)
