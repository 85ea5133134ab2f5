"""What staff may decide otherwise than the protocol for one milestone of one session. Pure."""

from dataclasses import replace

from reminderd.errors import Refused
from reminderd.model import Adjustment, CourseLead, Milestone, OnDays


def combined(before: Adjustment | None, decision: Adjustment) -> Adjustment:
    """What counts from now on: the new decision, and of the one before what it leaves open."""
    if before is None or decision.off:
        return decision
    return replace(decision, holds=decision.holds or before.holds, at=decision.at or before.at)


def refuse_unfitting(milestone: Milestone, decision: Adjustment) -> None:
    """Raise Refused where this milestone has nothing that the decision could change."""
    if decision.holds is not None and milestone.holds is None:
        raise Refused(
            f"{milestone.id} is no restriction: it has no time for which it holds",
            remedy="Adjust the restriction; its all-clear moves with it.",
        )
    if decision.at is not None and not isinstance(milestone.timing, OnDays | CourseLead):
        raise Refused(
            f"{milestone.id} has no time of day: it goes by the time of the treatment",
            remedy="Leave it out with --off, or change how long it holds with --holds.",
        )
