"""From reminders to the words that a patient reads."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from reminderd import blocks, dates, markup
from reminderd.dates import Moment
from reminderd.errors import TemplateFailed
from reminderd.model import Channel, Clinic, Kind, Milestone, Patient, Reminder, Session
from reminderd.patient_copy import Copy, Entry, Reader, rows
from reminderd.segments import SmsSize, measure, plain
from reminderd.texts import BUNDLE, Text, Texts, language_chain, normal_tag
from reminderd.vocabulary import ClinicWords, Line, PatientWords, SessionWords

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Item:
    """One reminder with what its template may speak of.

    `day` of `days` where the milestone has several, `until` is the end of a restriction, `next_at`
    when the next session of the course is due; None where there is no such thing.
    """

    reminder: Reminder
    milestone: Milestone
    session: Session
    day: int | None = None
    days: int | None = None
    until: datetime | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Composed:
    """A message in words: with `subject` and `html` for a mail, with `size` for an SMS.

    `copy` is the plan that stands below a mail, for the calendar that goes with it.
    """

    language: str
    subject: str | None
    text: str
    html: str | None
    size: SmsSize | None
    copy: Copy | None = None


@dataclass(frozen=True, slots=True)
class _Voice:
    """In which language, locale and zone one message speaks, and what all of it may name."""

    language: str
    locale: str
    zone: str
    common: Mapping[str, object]

    def moment(self, instant: datetime | None) -> Moment | None:
        return None if instant is None else dates.moment(instant, self.zone, self.locale)

    def variables(self, item: Item) -> dict[str, object]:
        at = dates.moment(item.session.at, self.zone, self.locale)
        return {
            **self.common,
            "session": SessionWords(at, item.session.area),
            "day": item.day,
            "days": item.days,
            "until": self.moment(item.until),
            "next_at": self.moment(item.next_at),
        }


class _Page(NamedTuple):
    """The body of a mail, as it is read."""

    text: str
    html: str


class _Below(NamedTuple):
    """What stands below a mail: the patient's copy of the plan."""

    page: _Page
    copy: Copy


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One template and the variables that it is about to be written with."""

    source: Text
    variables: Mapping[str, object]
    reminder_id: int | None = None

    def sms(self) -> Composed:
        text = plain(markup.paragraphs_as_lines(markup.unmarked(self.block("sms"))))
        return Composed(self.source.language, None, text, None, measure(text))

    def email(self, below: _Below | None = None) -> Composed:
        language = self.source.language
        subject = markup.one_line(self.block("subject"))
        page = self.page()
        if below is not None:
            page = _Page(f"{page.text}\n\n{below.page.text}", page.html + below.page.html)
        html = markup.document(page.html, subject, language, dates.is_right_to_left(language))
        return Composed(language, subject, page.text, html, None, below.copy if below else None)

    def page(self) -> _Page:
        """The block `email` in text and HTML; raises TemplateFailed."""
        body = markup.without_gaps(self.block("email"))
        try:
            html = markup.fragment(body, dates.is_right_to_left(self.source.language))
        except ValueError as error:
            raise blocks.failed(self.source, "email", error, self.reminder_id) from error
        return _Page(markup.unmarked(body), html)

    def block(self, name: str) -> str:
        return blocks.said(self.source, name, self.variables, self.reminder_id)


class Renderer:
    """Puts reminders into words, by templates that are read once, when it is made.

    Of two folders that have the same template the earlier wins: the site's, then our own.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self.texts = Texts(folders)

    def compose(
        self,
        items: Sequence[Item],
        patient: Patient,
        clinic: Clinic,
        channel: Channel,
        plan: Sequence[Item] = (),
    ) -> Composed:
        """One message of one or more reminders, in the first language that has all of it.

        What two sessions ask for alike is said once. A mail has a copy of `plan` below it, where
        its language has the words for that. Raises TemplateFailed; its `reminder_id` names the
        reminder to blame, None the bundle.
        """
        voice = self._voice(items, patient, clinic)
        lines = self._lines(items, voice) if len(items) > 1 else {}
        if len(lines) > 1:
            bundle = self.texts.get(voice.language, BUNDLE)
            sheet = _Sheet(bundle, {**voice.common, "lines": list(lines)})
        else:
            sheet = self._sheet(next(iter(lines.values()), items[0]), voice)
        if channel is Channel.SMS:
            return sheet.sms()
        return sheet.email(self._below(items, plan, voice) if plan else None)

    def copy(self, plan: Sequence[Item], patient: Patient, clinic: Clinic) -> Copy | None:
        """The patient's copy alone; None where its language lacks words. Raises TemplateFailed."""
        below = self._copied(plan, plan, self._voice(plan, patient, clinic))
        return below and below.copy

    def block(self, text: Text, name: str, variables: Mapping[str, object]) -> str:
        """What one block says, as marked text for `markup`; raises TemplateFailed."""
        return blocks.said(text, name, variables)

    def mail(self, text: Text, variables: Mapping[str, object]) -> Composed:
        """A mail that is no message to a patient; raises TemplateFailed."""
        return _Sheet(text, variables).email()

    def _voice(self, items: Sequence[Item], patient: Patient, clinic: Clinic) -> _Voice:
        language = self._language(items, language_chain(patient.language, clinic.language))
        return _Voice(
            language,
            locale_of(patient.language or clinic.language, language, clinic.country),
            patient.timezone or clinic.timezone,
            {
                "patient": PatientWords(patient.given_name),
                "clinic": clinic_words(clinic, language),
            },
        )

    def _language(self, items: Sequence[Item], chain: Sequence[str]) -> str:
        names = [item.milestone.template for item in items]
        language = self.texts.choose(chain, names if len(names) == 1 else [*names, BUNDLE])
        if language is not None:
            return language
        ids = {item.milestone.template: item.reminder.id for item in items}
        missing = next(
            (name for name in names if self.texts.choose(chain[-1:], [name]) is None), BUNDLE
        )
        raise TemplateFailed(
            f'there is no template "{missing}" in {", ".join(chain)}',
            reminder_id=ids.get(missing),
            remedy=f"write {self.texts.place(chain[-1], missing)}",
        )

    def _below(self, items: Sequence[Item], plan: Sequence[Item], voice: _Voice) -> _Below | None:
        """The patient's copy; a mail had better leave without it than not at all."""
        try:
            return self._copied(items, plan, voice)
        except TemplateFailed as error:
            log.error("a mail goes without the copy of its plan: %s", error)
            return None

    def _copied(self, items: Sequence[Item], plan: Sequence[Item], voice: _Voice) -> _Below | None:
        text = self.texts.plan(voice.language)
        needed = {each.milestone.template for each in plan}
        if text is None or self.texts.choose([voice.language], needed) is None:
            return None
        entries = tuple(entry for each in plan if (entry := self._entry(each, voice)))
        begun = max(each.session.at for each in items if not each.milestone.is_pre_care)
        table = rows(entries, Reader(voice.zone, voice.locale, begun))
        sheet = _Sheet(text, {**voice.common, "rows": table})
        return _Below(sheet.page(), Copy(markup.one_line(sheet.block("calendar")), entries))

    def _entry(self, item: Item, voice: _Voice) -> Entry | None:
        """None where its words fail: its own message will fail, too, and staff will see it."""
        text = self._try_line(item, voice)
        if text is None:
            return None
        reminder, undated = item.reminder, None
        if item.day is not None:
            undated = self._try_line(replace(item, day=None, days=None), voice)
        at = reminder.due_at or reminder.nominal_at
        if item.until is not None:  # in force from the treatment on, but in words for later
            at = reminder.nominal_at
        series = (reminder.session_id, reminder.milestone)
        # What ends before it is said, where a protocol lets it be said so late, has no span.
        until = item.until if item.until is not None and item.until > at else None
        return Entry(reminder.id, series, at, text, until, item.day, undated)

    def _try_line(self, item: Item, voice: _Voice) -> str | None:
        try:
            return self._line(item, voice).text
        except TemplateFailed:
            return None

    def _sheet(self, item: Item, voice: _Voice) -> _Sheet:
        text = self.texts.get(voice.language, item.milestone.template)
        return _Sheet(text, voice.variables(item), item.reminder.id)

    def _lines(self, items: Sequence[Item], voice: _Voice) -> dict[Line, Item]:
        """Every line of a bundle, each once, with an item that says it."""
        return {self._line(item, voice): item for item in _longest_restrictions(items)}

    def _line(self, item: Item, voice: _Voice) -> Line:
        text = markup.one_line(self._sheet(item, voice).block("line"))
        return Line(item.milestone.kind.value, text, voice.moment(item.until))


def locale_of(wanted: str, language: str, country: str) -> str:
    """The locale of a text in `language`: with the region that was asked for, else the clinic's."""
    own = normal_tag(wanted)
    return dates.locale_for(own if own.startswith(f"{language}_") else language, country)


def clinic_words(clinic: Clinic, language: str) -> ClinicWords:
    """What a template in `language` may say of the clinic."""
    right_to_left = dates.is_right_to_left(language)
    phone = markup.left_to_right(clinic.phone) if right_to_left else clinic.phone
    return ClinicWords(clinic.name, phone)


def _longest_restrictions(items: Sequence[Item]) -> list[Item]:
    """Of restrictions that are in force for two sessions at once, the one that ends last."""
    longest: dict[tuple[Kind, str], Item] = {}
    for item in items:
        key = (item.milestone.kind, item.milestone.template)
        known = longest.setdefault(key, item)
        if item.until is not None and known.until is not None and item.until > known.until:
            longest[key] = item
    return [
        item
        for item in items
        if item.until is None or longest[item.milestone.kind, item.milestone.template] is item
    ]
