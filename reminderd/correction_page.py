"""A correction in words: what holds now, where something that has left is no longer true.

Staff read it out or send it themselves; its sentences are the `line`s of the messages' own
templates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from reminderd import dates, markup
from reminderd.corrections import Cause, Untrue
from reminderd.dates import Moment
from reminderd.errors import TemplateFailed
from reminderd.model import Chart, Kind
from reminderd.render import Renderer, clinic_words, locale_of
from reminderd.segments import SmsSize, measure, plain
from reminderd.texts import CORRECTION, language_chain
from reminderd.timing import Ban
from reminderd.vocabulary import Line, MovedWords, PatientWords, SessionWords


@dataclass(frozen=True, slots=True)
class CorrectionPage:
    """One correction for both channels; `size` is that of the SMS."""

    language: str
    sms: str
    size: SmsSize
    subject: str
    email: str


@dataclass(frozen=True, slots=True)
class _Writer:
    """In which language, locale and zone the patient is told."""

    renderer: Renderer
    chart: Chart
    language: str
    locale: str

    def moment(self, instant: datetime | None) -> Moment | None:
        if instant is None:
            return None
        return dates.moment(instant, self.chart.timezone, self.locale)

    def line(self, false: Untrue) -> Line:
        """What the reminder, or the restriction that holds instead of it, would say today."""
        ban = false.ban
        template, kind = _said_by(self.chart, ban) if ban else _own(false)
        said_of = ban.session_id if ban else false.reminder.session_id
        until = self.moment(false.until)
        said = self.said(template, kind, said_of, until)
        return Line(kind.value, said, until, self.moment(false.since))

    def lifted(self, false: Untrue) -> str:
        """What the reminder said."""
        template, kind = _own(false)
        spoken_of = self.moment(false.until or false.was)
        return self.said(template, kind, false.reminder.session_id, spoken_of)

    def said(
        self, template: str, kind: Kind, session_id: int | None, instant: Moment | None
    ) -> str:
        variables = {
            **self.common(),
            "session": self.session(session_id),
            "day": None,
            "days": None,
            "until": instant if kind is Kind.RESTRICTION else None,
            "next_at": instant if kind is Kind.COURSE else None,
        }
        text = self.renderer.texts.get(self.language, template)
        return markup.one_line(self.renderer.block(text, "line", variables))

    def session(self, session_id: int | None) -> SessionWords:
        session = next(each for each in self.chart.sessions if each.id == session_id)
        at = dates.moment(session.at, self.chart.timezone, self.locale)
        return SessionWords(at, session.area)

    def common(self) -> dict[str, object]:
        chart = self.chart
        return {
            "patient": PatientWords(chart.patient.given_name),
            "clinic": clinic_words(chart.clinic, self.language),
        }


def correction(
    renderer: Renderer, chart: Chart, untrue: Sequence[Untrue], now: datetime
) -> CorrectionPage:
    """One text for everything that is no longer true of what this patient was told.

    It is in the first language of the patient's chain that has all of it; raises TemplateFailed.
    """
    writer = _writer(renderer, chart, untrue)
    text = renderer.texts.get(writer.language, CORRECTION)
    variables = {**writer.common(), **_facts(writer, untrue, now)}
    sms = plain(markup.paragraphs_as_lines(markup.unmarked(renderer.block(text, "sms", variables))))
    email = markup.unmarked(markup.without_gaps(renderer.block(text, "email", variables)))
    subject = markup.one_line(renderer.block(text, "subject", variables))
    return CorrectionPage(writer.language, sms, measure(sms), subject, email)


def _writer(renderer: Renderer, chart: Chart, untrue: Iterable[Untrue]) -> _Writer:
    patient, clinic = chart.patient, chart.clinic
    chain = language_chain(patient.language, clinic.language)
    bans = [each.ban for each in untrue if each.ban is not None]
    names = {CORRECTION, *(_own(each)[0] for each in untrue)}
    names |= {_said_by(chart, each)[0] for each in bans}
    language = renderer.texts.choose(chain, names)
    if language is None:
        raise TemplateFailed(
            f"there is no template {CORRECTION} in {', '.join(chain)}",
            remedy=f"write {renderer.texts.place(chain[-1], CORRECTION)}",
        )
    locale = locale_of(patient.language or clinic.language, language, clinic.country)
    return _Writer(renderer, chart, language, locale)


def _facts(writer: _Writer, untrue: Sequence[Untrue], now: datetime) -> dict[str, object]:
    """What the template sees beside the patient and the clinic, each thing once."""
    moved = [(each.was, each.now) for each in untrue if _tells_the_session(writer.chart, each)]
    called_off = [each.was for each in untrue if each.cause is Cause.CALLED_OFF]
    lines = (writer.line(each) for each in untrue if _holds(each, now))
    lifted = (writer.lifted(each) for each in untrue if _is_lifted(each, now))
    return {
        "moved": [
            MovedWords(was, at)
            for each in dict.fromkeys(moved)
            if (was := writer.moment(each[0])) and (at := writer.moment(each[1]))
        ],
        "called_off": [writer.moment(each) for each in dict.fromkeys(called_off)],
        "lines": _longest(lines),
        "lifted": list(dict.fromkeys(lifted)),
    }


def _tells_the_session(chart: Chart, false: Untrue) -> bool:
    """Whether what the patient knows of the session's time is no longer so."""
    at = {each.id: each.at for each in chart.sessions}[false.reminder.session_id]
    return false.cause is Cause.MOVED or (false.cause is Cause.ZONE and false.now == at)


def _holds(false: Untrue, now: datetime) -> bool:
    """Whether something is to be told that holds: a restriction, or a date of the course."""
    if false.until is None:
        return False
    if false.ban is not None or false.reminder.kind is Kind.RESTRICTION:
        return false.until > now
    return false.reminder.kind is Kind.COURSE


def _is_lifted(false: Untrue, now: datetime) -> bool:
    """Whether it no longer holds, for some of its topics at least; a session says that of all."""
    if false.cause is Cause.CALLED_OFF:
        return False
    if false.reminder.kind is Kind.COURSE:
        return false.until is None
    if false.reminder.kind is not Kind.RESTRICTION:
        return False
    if false.ban is not None:
        return not false.ban.topics >= false.reminder.topics
    return false.until is None or false.until <= now


def _longest(lines: Iterable[Line]) -> list[Line]:
    """The same sentence once, with its last end, restrictions in the order of their ends."""
    longest: dict[tuple[str, Moment | None], Line] = {}
    for line in lines:
        known = longest.setdefault((line.text, line.since), line)
        if line.until and known.until and line.until > known.until:
            longest[line.text, line.since] = line
    return list(longest.values())


def _own(false: Untrue) -> tuple[str, Kind]:
    """The template and kind of what was said."""
    return false.reminder.template, false.reminder.kind


def _said_by(chart: Chart, ban: Ban) -> tuple[str, Kind]:
    """The template and kind of what holds now."""
    milestone = chart.protocols[ban.session_id].milestone(ban.milestone)
    assert milestone is not None, "a ban is of a milestone of its session's protocol"
    return milestone.template, milestone.kind
