"""Parcels into words: what may still leave is rendered and addressed, the rest has a verdict."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from reminderd.calendar_file import Calendar
from reminderd.errors import TemplateFailed
from reminderd.ids import public_id
from reminderd.interfaces import Outbox
from reminderd.model import Channel, Chart, Message, Reminder
from reminderd.opening import everything, may_open, plan_to_copy
from reminderd.patient_copy import calendar
from reminderd.practice import Practice, item
from reminderd.render import Composed, Item, Renderer
from reminderd.unsubscribing import Tokens
from reminderd.verdicts import Letter, Parcel, Verdict, overtaken, template_failed, wordless

log = logging.getLogger(__name__)


class Letters:
    """Writes what the patients get; a template that fails fails its reminder alone."""

    def __init__(
        self,
        outbox: Outbox,
        practice: Practice,
        renderer: Renderer,
        new_token: Callable[[], str],
    ) -> None:
        self._outbox = outbox
        self._practice = practice
        self._renderer = renderer
        self._new_token = new_token
        self._installation = outbox.note("installation") or ""
        self._tokens: Tokens | None = None

    def written(
        self, parcels: Sequence[Parcel], now: datetime, verdicts: list[Verdict]
    ) -> Iterator[Letter]:
        """The parcels that may still leave, in words; the others are given a verdict."""
        plans = self._plans(parcels)
        for parcel in parcels:
            planned = plans.get(parcel.chart.patient.id, [])
            letter = overtaken(parcel, now) or self._letter(parcel, now, planned)
            if isinstance(letter, Verdict):
                verdicts.append(letter)
            else:
                yield letter

    def _plans(self, parcels: Sequence[Parcel]) -> dict[int | None, list[Item]]:
        """By patient, everything that is planned for those whose mail may tell of it."""
        ids = [
            each.chart.patient.id or 0
            for each in parcels
            if each.channel is Channel.EMAIL and may_open(each.chart, each.claimed.reminders)
        ]
        if not ids:
            return {}
        facts, approvals = self._outbox.facts(ids), self._outbox.approvals()
        charts = self._practice.charts(facts, approvals)
        return {each.patient.id: everything(each) for each in charts}

    def _letter(self, parcel: Parcel, now: datetime, planned: Sequence[Item]) -> Letter | Verdict:
        patient, clinic = parcel.chart.patient, parcel.chart.clinic
        whole = [(each, item(parcel.chart, each)) for each in parcel.claimed.reminders]
        items = [each for _, each in whole if each is not None]
        failed = [reminder for reminder, each in whole if each is None]
        while items:
            try:
                composed = self._renderer.compose(
                    items, patient, clinic, parcel.channel, plan_to_copy(items, planned)
                )
                break
            except TemplateFailed as error:
                blamed = [each for each in items if each.reminder.id == error.reminder_id] or items
                failed += [each.reminder for each in blamed]
                items = [each for each in items if each not in blamed]
                log.error("%s: %s", names(each.reminder for each in blamed), error)
        self._fail_templates(parcel, failed)
        if not items:
            return wordless(parcel)
        return self._addressed(parcel, items, composed, now)

    def _fail_templates(self, parcel: Parcel, failed: Sequence[Reminder]) -> None:
        """Not of what was taken back meanwhile: staff, or another worker, have it by now."""
        if not failed:
            return
        with self._outbox.beside():
            self._outbox.lock_patients([parcel.chart.patient.id or 0])
            if self._outbox.open_attempts([parcel.claimed.attempt_id]):
                self._outbox.save_reminders(map(template_failed, failed))

    def _addressed(
        self, parcel: Parcel, items: Sequence[Item], composed: Composed, now: datetime
    ) -> Letter:
        patient = parcel.chart.patient
        reminders = tuple(each.reminder for each in items)
        message = Message(
            id=f"{public_id('msg', parcel.claimed.message_id)}-{self._installation}",
            channel=parcel.channel,
            to=patient.address(parcel.channel) or "",
            recipient_name=f"{patient.given_name} {patient.family_name}".strip(),
            clinic_name=parcel.chart.clinic.name,
            language=composed.language,
            subject=composed.subject,
            text=composed.text,
            html=composed.html,
            valid_for=min(each.expires_at for each in reminders) - now,
            at=now,
            calendar=self._calendar(composed, parcel.chart),
            unsubscribe=self._unsubscribe(parcel),
            attempt=self._new_token(),
        )
        return Letter(parcel, reminders, message, composed)

    def _unsubscribe(self, parcel: Parcel) -> str | None:
        """The address behind the button of a mail, where we can be reached."""
        patient, base = parcel.chart.patient, self._practice.unsubscribe_at
        if base is None or parcel.channel is not Channel.EMAIL:
            return None
        if self._tokens is None:
            self._tokens = Tokens(self._outbox.make_secret())
        return f"{base}/{self._tokens.token(patient.id or 0, Channel.EMAIL, patient.email or '')}"

    def _calendar(self, composed: Composed, chart: Chart) -> Calendar | None:
        if composed.copy is None:
            return None
        return calendar(composed.copy, chart.clinic.key, self._installation)


def names(reminders: Iterable[Reminder]) -> str:
    """What these reminders are called in the log."""
    return ", ".join(public_id("rem", each.id) or "" for each in reminders)
