"""Where a session stands in its course, and when the next one falls due. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from reminderd.model import CareProtocol, Chart, Course, Kind, Session
from reminderd.timing import next_due, next_in_course, place_in_course, turned_off


class Standing(NamedTuple):
    """A session's place in its course, counting from 1, and when the next one falls due.

    `next_due_at` is None where no further session is wanted: the next one is booked or done, the
    maximum is reached, or staff turned off the reminder to book it, for this patient stops here.
    """

    place: int
    course: Course
    next_due_at: datetime | None


def standing(
    sessions: Sequence[Session], session: Session, protocol: CareProtocol, zone: str
) -> Standing | None:
    """The session among all of the patient's; None without a course, or where it does not stand."""
    if protocol.course is None or not session.stands:
        return None
    place = place_in_course(sessions, session)
    if next_in_course(sessions, session) is not None:
        return Standing(place, protocol.course, None)
    return last_standing(session, place, protocol, zone)


def standing_in(chart: Chart, session: Session) -> Standing | None:
    """As `standing`, of a session in its patient's chart."""
    protocol = chart.protocols[session.id]
    return standing(chart.sessions, session, protocol, chart.timezone)


def last_standing(
    session: Session, place: int, protocol: CareProtocol, zone: str
) -> Standing | None:
    """As `standing`, of a session that no other of the course follows."""
    course = protocol.course
    if course is None:
        return None
    if course.is_complete_after(place) or _is_left(session, protocol):
        return Standing(place, course, None)
    return Standing(place, course, next_due(course, place, session.at, zone))


def _is_left(session: Session, protocol: CareProtocol) -> bool:
    """Whether staff turned off every reminder that would bring the patient back."""
    asked = [each for each in protocol.milestones if each.kind is Kind.COURSE]
    return bool(asked) and all(turned_off(session, each) for each in asked)
