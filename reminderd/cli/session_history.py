"""What staff have decided for a session and changed about it, with author and reason."""

from collections.abc import Iterator
from typing import Any

from reminderd.cli.output import instant
from reminderd.model import Adjustment, Chart, Session, SessionChange


def data(chart: Chart, session: Session) -> list[dict[str, Any]]:
    """Every change in order: when, by whom, why, and each thing that it changed."""
    versions = _versions(chart, session)
    return [
        {
            "at": instant(change.at, chart.timezone),
            "by": change.by,
            "why": change.why,
            "changed": _differences(change, after, chart.timezone),
        }
        for change, after in versions
    ]


def lines(chart: Chart, session: Session) -> Iterator[tuple[str, str]]:
    """The same in sentences after what counts now by staff's decision, each with its name."""
    for milestone, adjustment in session.adjustments.items():
        yield "decided", f"{milestone}: {decided(adjustment)} ({adjustment.by}: {adjustment.why})"
    for change in data(chart, session):
        what = "; ".join(change["changed"]) or "nothing"
        why = f": {change['why']}" if change["why"] else ""
        yield "changed", f"{change['at']}  {what} ({change['by']}{why})"


def decided(adjustment: Adjustment) -> str:
    """`holds 72h`, `at 20:00`, `left out`."""
    if adjustment.off:
        return "left out"
    holds = [f"holds {adjustment.holds}"] if adjustment.holds else []
    at = [f"at {adjustment.at:%H:%M}"] if adjustment.at else []
    return ", ".join(holds + at)


def _versions(chart: Chart, session: Session) -> Iterator[tuple[SessionChange, Session]]:
    own = [each for each in chart.changes if each.was.id == session.id]
    versions = [*(each.was for each in own), session]
    return zip(own, versions[1:], strict=True)


def _differences(change: SessionChange, after: Session, zone: str) -> list[str]:
    was, found = change.was, []
    if was.at != after.at:
        found.append(f"moved from {instant(was.at, zone)} to {instant(after.at, zone)}")
    if was.state != after.state:
        found.append(f"{was.state} → {after.state}")
    if was.protocol_version != after.protocol_version:
        found.append(f"{was.protocol} revision {was.revision} → {after.revision}")
    for milestone in sorted({*was.adjustments, *after.adjustments}):
        before, now = was.adjustments.get(milestone), after.adjustments.get(milestone)
        if before != now:
            found.append(f"{milestone}: {decided(now) if now else 'as the protocol says'}")
    return found
