"""The practice as configured: its clinics, which transport serves which channel, what is signed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from reminderd.errors import ConfigurationError, Refused
from reminderd.hours import add
from reminderd.ids import public_id
from reminderd.interfaces import Approval, PatientFacts
from reminderd.model import CareProtocol, Channel, Chart, Clinic, Kind, OnDays, Patient, Reminder
from reminderd.render import Item
from reminderd.texts import Texts
from reminderd.timing import holds, next_session_at

Route = tuple[str, Channel]  # a clinic's key and a channel


@dataclass(frozen=True)
class Practice:
    """What planning and sending need to know beside the patient; fixed until a reload."""

    clinics: Mapping[str, Clinic]
    routes: Mapping[Route, str]
    texts: Texts
    most_per_day: int  # messages to one patient
    unsubscribe_at: str | None = None  # the address that the buttons of mails begin with
    _digests: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    def signature_digest(self, protocol: CareProtocol) -> str:
        """What a doctor signs: the protocol and every template that it uses, in every language."""
        known = self._digests.get(protocol.digest)
        if known is None:
            templates = self.texts.digest(_templates(protocol))
            known = sha256(f"{protocol.digest}\n{templates}".encode()).hexdigest()
            self._digests[protocol.digest] = known
        return known

    def signed_texts(self, protocol: CareProtocol) -> str:
        """What the templates say that a signature under the protocol is for."""
        return self.texts.sources(_templates(protocol))

    def refuse_without_texts(self, protocol: CareProtocol) -> None:
        """Raise Refused where the protocol names templates that exist in no language."""
        there = {text.name for text in self.texts.list_templates()}
        missing = sorted(_templates(protocol) - there)
        if missing:
            raise Refused(
                f"{protocol.key} has no text for: {', '.join(missing)}",
                remedy="Write these templates first; reminderd template check proves them.",
            )

    def charts(self, facts: Iterable[PatientFacts], approvals: Sequence[Approval]) -> list[Chart]:
        """The store's facts as planning wants them, with clinic and signatures."""
        signed = frozenset(each.digest for each in approvals)
        return [self._chart(each, signed) for each in facts]

    def clinic_of(self, patient: Patient) -> Clinic:
        """The patient's clinic; ConfigurationError where it is no longer configured."""
        try:
            return self.clinics[patient.clinic]
        except KeyError:
            name = public_id("pat", patient.id)
            raise ConfigurationError(
                [f"clinics.{patient.clinic}: not configured, but {name} belongs to it"],
                remedy=f"Add [clinics.{patient.clinic}] to the configuration, or move the patient.",
            ) from None

    def zone_of(self, patient: Patient) -> str | None:
        """The zone the patient lives by; None where that was a clinic's that is gone."""
        clinic = self.clinics.get(patient.clinic)
        return patient.timezone or (clinic.timezone if clinic else None)

    def signature_under(
        self, protocol: CareProtocol, approvals: Sequence[Approval]
    ) -> Approval | None:
        """The latest signature that stands under the protocol and its templates as they are now."""
        digest = self.signature_digest(protocol)
        return next((each for each in reversed(approvals) if each.digest == digest), None)

    def is_signed(self, protocol: CareProtocol, clinic: Clinic, signed: frozenset[str]) -> bool:
        """Whether a signature stands, or none is needed because nothing leaves the machine."""
        return not clinic.leaving or self.signature_digest(protocol) in signed

    def _chart(self, facts: PatientFacts, signed: frozenset[str]) -> Chart:
        clinic = self.clinic_of(facts.patient)
        return Chart(
            patient=facts.patient,
            clinic=clinic,
            sessions=facts.sessions,
            protocols=facts.protocols,
            reminders=facts.reminders,
            changes=facts.changes,
            corrected=facts.corrected,
            zones=facts.zones,
            approved=frozenset(
                session_id
                for session_id, protocol in facts.protocols.items()
                if self.is_signed(protocol, clinic, signed)
            ),
        )


def _templates(protocol: CareProtocol) -> set[str]:
    return {each.template for each in protocol.milestones}


def item(chart: Chart, reminder: Reminder) -> Item | None:
    """The reminder with what its text may speak of; None where its protocol lost the milestone."""
    session = next(each for each in chart.sessions if each.id == reminder.session_id)
    milestone = chart.protocols[session.id].milestone(reminder.milestone)
    if milestone is None:
        return None
    day = days = until = next_at = None
    if isinstance(milestone.timing, OnDays) and milestone.occurrences > 1:
        day, days = milestone.timing.first + reminder.occurrence - 1, milestone.timing.last
    if milestone.holds is not None:
        until = add(chart.timezone, session.at, holds(session, milestone))
    if milestone.kind is Kind.COURSE:
        next_at = next_session_at(chart, session)
    return Item(reminder, milestone, session, day, days, until, next_at)
