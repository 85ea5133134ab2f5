"""What there is to say of a patient, and of each session, as lines for people."""

from reminderd import wording
from reminderd.cli import output
from reminderd.cli.output import instant
from reminderd.courses import standing_in
from reminderd.ids import public_id
from reminderd.model import Channel, Chart, Clinic, Patient, Session


def line(chart: Chart, session: Session) -> str:
    """What there is to say of a session."""
    zone, standing = chart.timezone, standing_in(chart, session)
    parts = [
        public_id("ses", session.id),
        output.instant(session.at, zone),
        session.protocol,
        session.state,
        ", ".join(filter(None, [session.area, *sorted(session.tags)])),
        wording.course(standing, zone) if standing else None,
    ]
    return "  ".join(filter(None, parts))


def facts(patient: Patient, clinic: Clinic) -> list[tuple[str, str]]:
    """What is known of a patient, each with the word for it."""
    zone, own = patient.timezone or clinic.timezone, "" if patient.timezone else " (the clinic's)"
    consents = [
        f"{channel} {'granted' if said.granted else 'withdrawn'} {instant(said.at, zone)}"
        f" ({said.source})"
        for channel, said in patient.consent.items()
    ]
    bad = dict.fromkeys(patient.bad_addresses, " (the provider calls it wrong)")
    return [
        (public_id("pat", patient.id) or "", full_name(patient)),
        ("ref", patient.ref or "-"),
        ("phone", (patient.phone or "-") + bad.get(Channel.SMS, "")),
        ("email", (patient.email or "-") + bad.get(Channel.EMAIL, "")),
        ("channels", ", ".join(patient.channels)),
        *(("consent", each) for each in consents or ["none"]),
        ("zone", zone + own),
        ("language", patient.language or f"{clinic.language} (the clinic's)"),
        ("clinic", f"{patient.clinic} ({clinic.name})"),
        *([("screening", wording.noted(patient))] if patient.screening else []),
        *([("paused", "everything is held")] if patient.paused else []),
    ]


def full_name(patient: Patient) -> str:
    """As staff call the patient."""
    return f"{patient.given_name} {patient.family_name}".strip()
