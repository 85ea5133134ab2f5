"""What staff decide about one reminder: call it off, try again, say what became of it.

Every method is one transaction: the decision and the new plan are stored together, or neither is.
"""

from collections.abc import Sequence
from datetime import datetime

from reminderd import audit
from reminderd.audit import Action
from reminderd.charts import Change, Charts
from reminderd.errors import Refused
from reminderd.hours import zone
from reminderd.interfaces import Doubt, Outbox
from reminderd.model import Reason, Reminder, Resolution, State
from reminderd.plan import WAITING
from reminderd.practice import Practice
from reminderd.resolving import resolved, still_looked_for


class Decisions(Charts):
    """Takes what staff decide; `by` is whoever sits at the keyboard."""

    def __init__(self, outbox: Outbox, practice: Practice, by: str) -> None:
        super().__init__(outbox, practice)
        self.by = by

    def cancel_reminder(self, name: str, now: datetime) -> Change:
        """Staff call one reminder off; it stays off through every new plan."""
        with self._outbox.transaction():
            self._outbox.take_back(self.reminder(name).patient_id or 0, now)
            reminder = self.reminder(name)
            if reminder.state not in WAITING:
                raise Refused(f"{name} is {reminder.state}: only what still waits can be cancelled")
            off = reminder._replace(state=State.CANCELLED, reason=Reason.BY_STAFF, wake_at=None)
            return self._decide(Action.REMINDER_CANCELLED, reminder, off, now)

    def retry_reminder(self, name: str, now: datetime) -> Change:
        """Staff ask again for a reminder that failed, was called off, or waits for its next try.

        Raises Refused where it has left or may have left, or where its time is over.
        """
        with self._outbox.transaction():
            reminder = self._own(name)
            if reminder.state not in (State.FAILED, State.CANCELLED, State.SCHEDULED):
                raise Refused(f"{name} is {reminder.state}: there is nothing to try again")
            if reminder.reason is Reason.ERASED:
                raise Refused(f"{name}: the patient's data was erased")
            if reminder.expires_at <= now:
                raise Refused(f"{name} expired: sending it now would be pointless")
            # As `expired` it is planned afresh, and the plan says whether it may still leave.
            again = reminder._replace(state=State.EXPIRED, reason=Reason.LATE, wake_at=None)
            change = self._decide(Action.REMINDER_RETRIED, reminder, again, now)
            if self.reminder(name) == again:
                raise Refused(f"{name} is no longer planned: its session or its rule is gone")
            return change

    def resolve_reminder(self, name: str, resolution: Resolution, by: str, now: datetime) -> Change:
        """Staff say what became of a message in doubt, with all the reminders that it carried.

        Raises Refused where nothing is in doubt, or where it is too late to send it again, or too
        early: evidence is still looked for.
        """
        with self._outbox.transaction():
            reminder = self._own(name)
            assert reminder.id is not None
            assert reminder.patient_id is not None
            doubts = self._outbox.doubts_of(reminder.id)
            if not doubts:
                raise Refused(f"{name} is {reminder.state}: nothing about it is in doubt")
            if resolution is Resolution.RESEND and reminder.expires_at <= now:
                raise Refused(f"{name} expired: sending it again would be pointless")
            if resolution is Resolution.RESEND:
                self._refuse_while_looked_for(name, doubts, now)
            self._outbox.settle([resolved(each, resolution, by) for each in doubts], now)
            carried = [each for doubt in doubts for each in doubt.reminders]
            return self._decided(Action.REMINDER_RESOLVED, carried, by, now)

    def _own(self, name: str) -> Reminder:
        """The reminder as it stays until the unit of work ends, whoever sends meanwhile."""
        self._outbox.lock_patients([self.reminder(name).patient_id or 0])
        return self.reminder(name)

    def _refuse_while_looked_for(self, name: str, doubts: Sequence[Doubt], now: datetime) -> None:
        local = zone(self.chart(doubts[0].patient_id).timezone)
        for each in doubts:
            if when := still_looked_for(each, now, local):
                raise Refused(
                    f"{name} may have been accepted: {when}",
                    remedy=f"Send it again then. Who knows better: reminderd reminder resolve "
                    f"{name} --sent or --drop",
                )

    def _decide(self, action: Action, before: Reminder, decided: Reminder, now: datetime) -> Change:
        self._outbox.save_reminders([decided])
        return self._decided(action, [before], self.by, now)

    def _decided(
        self, action: Action, before: Sequence[Reminder], by: str, now: datetime
    ) -> Change:
        """Plan these reminders of one patient again, and record what became of each."""
        assert before[0].patient_id is not None
        change = self._plan_one_again(before[0].patient_id, now)
        after = {each.id: each for each in change.chart.reminders}
        for each in before:
            self._outbox.record(audit.reminder_decided(action, each, after[each.id], by, now))
        return change
