"""Automatic answers that are not known to have left: whoever wrote may not know what to do."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reminderd.ids import public_id
from reminderd.staff.reminders import Item
from reminderd.wording import answered

if TYPE_CHECKING:
    from reminderd.bootstrap import House


def items(house: "House") -> Iterator[Item]:
    """Those whose reply nobody has seen to."""
    for each in house.outbox.stranded_answers():
        reply = public_id("rep", each.reply_id)
        patient = public_id("pat", each.patients[0]) if each.patients else None
        yield {
            "what": "answer",
            "id": public_id("ans", each.id),
            "patient": patient,
            "why": f"the automatic answer to {reply}: {answered(each)}",
            "do": f"call them, then: reminderd inbox done {reply}",
        }
