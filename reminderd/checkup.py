"""Everything that would stop a message, all at once: what `check` reports. Nothing is sent."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from reminderd import bootstrap, hours, proofread, resources, transports, web
from reminderd.alerting import ways
from reminderd.bootstrap import House
from reminderd.emergency_numbers import EVERYWHERE, NUMBERS
from reminderd.errors import ConfigurationError, FaultsFound, ReminderdError
from reminderd.examination.nurse import SAMPLE_CLINIC, Examination
from reminderd.findings import Finding, Severity, fine, note, problem
from reminderd.holding import held
from reminderd.model import CareProtocol, Channel, Chart, Patient
from reminderd.plan import WAITING
from reminderd.protocols import Found, ProtocolLibrary
from reminderd.render import Renderer
from reminderd.settings import Settings, find
from reminderd.transports.privacy import is_loopback

CHUNK = 500


def check(config: Path | None, environ: Mapping[str, str], now: datetime) -> Iterator[Finding]:
    """Configuration, transports, database, protocols and templates, whatever state they are in.

    Raises ConfigurationError where there is no configuration at all.
    """
    folder = find(config, environ).absolute().parent
    used: list[CareProtocol] = []
    spoken: set[str] = set()
    clinics = [SAMPLE_CLINIC]
    try:
        texts = Renderer([folder / "templates", resources.templates_dir()])
    except FaultsFound as error:  # without them there is no house to look at
        yield from _problems("templates", error)
        return
    try:
        settings = bootstrap.load_settings(config, environ)
    except ConfigurationError as error:
        yield from _problems("configuration", error)
    else:
        yield fine("configuration", str(settings.path))
        yield from _channels(settings)
        yield from _transports(settings)
        yield from _web(settings)
        yield from _alerts(settings)
        yield from _replies(settings)
        yield from _emergency_numbers(settings)
        yield from _database(settings, now, used, spoken)
        clinics = [settings.clinic(key, lambda _: False) for key in settings.clinic_keys]
    found: list[Found] = []
    misread: set[str] = set()
    yield from _protocols(ProtocolLibrary([folder / "protocols", resources.protocols_dir()]), found)
    yield from _templates(texts, [*used, *(each.protocol for each in found)], misread)
    yield from _examined(Examination(clinics, texts, now, spoken), found, misread)


def _problems(subject: str, error: ReminderdError) -> Iterator[Finding]:
    *others, last = error.faults if isinstance(error, FaultsFound) else [error.message]
    for fault in others:
        yield problem(subject, fault)
    yield problem(subject, last, error.remedy)


# Configuration ----------------------------------------------------------------------------------


def _replies(settings: Settings) -> Iterator[Finding]:
    try:
        bootstrap.check_own_words(settings.folder)
    except ConfigurationError as error:
        yield from _problems("replies", error)


def _emergency_numbers(settings: Settings) -> Iterator[Finding]:
    """Whether patients in danger would be told a number that helps them."""
    from phonenumbers.shortnumberinfo import is_emergency_number

    for key, clinic in settings.sections.clinics.items():
        where, number, country = f"clinics.{key}", clinic.emergency_phone, clinic.country
        if number is None and country not in NUMBERS:
            yield problem(
                "answers",
                f"{where}: the emergency number of {country} is not known: patients in danger "
                f"would be told to call {EVERYWHERE}",
                f'Set emergency_phone in [{where}], "{EVERYWHERE}" if that is right.',
            )
        elif number is not None and not is_emergency_number(number, country):
            yield problem(
                "answers",
                f'{where}.emergency_phone: "{number}" is not known as an emergency number in '
                f"{country}",
                "Call it, or ask whoever runs the service, before patients have to.",
            )


def _channels(settings: Settings) -> Iterator[Finding]:
    for key in settings.clinic_keys:
        for channel in Channel:
            name = settings.transport_for(key, channel)
            if name is None:
                yield note("channels", f"clinic {key}: no transport serves {channel}")
            elif channel not in transports.find(name).channels:
                yield problem(
                    "channels",
                    f"clinic {key}: the transport {name} cannot carry {channel}",
                    "Choose another one; `reminderd transport list` shows what each can carry.",
                )


def _web(settings: Settings) -> Iterator[Finding]:
    given = settings.sections.web
    if given.listen:
        yield from _listening(given.listen)
    elif given.public_url:
        yield problem(
            "web",
            "web.public_url is set, so providers are asked to call, and nothing listens",
            'Set listen in [web], such as "127.0.0.1:8025", or take public_url out.',
        )
    if given.public_url and given.public_url.startswith("http:"):
        yield note("web", "web.public_url is http: what providers tell is not encrypted on its way")


def _alerts(settings: Settings) -> Iterator[Finding]:
    """Who at the clinic hears of what cannot wait."""
    try:
        found = ways(settings, {}).recipients
    except ConfigurationError as error:
        yield from _problems("alerts", error)
        return
    name = settings.transport_for(settings.clinic_keys[0], Channel.EMAIL)
    if found.mailboxes and Channel.EMAIL not in transports.find(name or "").channels:
        yield problem("alerts", f"the transport {name} cannot carry mail", "Choose another one.")
    if found.first:
        later = settings.sections.alerts.acknowledge_within
        more = set(found.second) - set(found.first)
        told = f"{len(found.first)} told at once, {len(more)} more after {later}"
        yield fine("alerts", f"{told}; prove it with: reminderd alerts test")
    else:
        yield note(
            "alerts",
            "nobody at the clinic is told at once of a red flag, or that sending is held",
            'Name mailboxes: [alerts] to = ["desk@example.org"]',
        )


def _listening(listen: str) -> Iterator[Finding]:
    try:
        web.refuse_without_packages()
    except ConfigurationError as error:
        yield from _problems("web", error)
        return
    if is_loopback(listen.rpartition(":")[0]):
        yield fine("web", f"listens at {listen}")
    else:
        yield note("web", f"listens at {listen}: others than this machine may reach it")


def _transports(settings: Settings) -> Iterator[Finding]:
    names = {settings.transport_for(key, each) for key in settings.clinic_keys for each in Channel}
    for name in sorted(filter(None, names)):
        try:
            bootstrap.build_transport(settings, name).close()
        except ReminderdError as error:
            yield from _problems(f"transport {name}", error)
        else:
            yield fine(
                f"transport {name}", f"ready; prove it with: reminderd transport test {name}"
            )


# Database ---------------------------------------------------------------------------------------


def _database(
    settings: Settings, now: datetime, used: list[CareProtocol], spoken: set[str]
) -> Iterator[Finding]:
    """What is wrong in there.

    `used` gets the protocols that its reminders are planned by, `spoken` the patients' languages.
    """
    try:
        house = bootstrap.open_house(settings)
    except ReminderdError as error:
        yield from _problems("database", error)
        return
    try:
        patients = house.outbox.patients()
        spoken.update(each.language for each in patients if each.language)
        yield fine("database", f"{house.engine.where}, {len(patients)} patients")
        for hold in held(house.outbox):
            yield problem("sending", f"nothing is sent: {hold.why}", f"Go on: {hold.do}")
        yield from _patients(house, patients)
        yield from _sessions(house, patients, now, used)
    finally:
        house.outbox.close()


def _patients(house: House, patients: Sequence[Patient]) -> Iterator[Finding]:
    clinics, routes = house.practice.clinics, house.practice.routes
    strangers = Counter(each.clinic for each in patients if each.clinic not in clinics)
    for key, count in sorted(strangers.items()):
        yield problem(
            "patients",
            f"{count} of the clinic {key}, which is not configured",
            f"Add [clinics.{key}] to the configuration, or move the patients.",
        )
    nowhere = Counter(each.timezone for each in patients if not _zone_is_known(each.timezone))
    for name, count in sorted(nowhere.items(), key=str):
        yield problem("patients", f"{count} in {name}, which is not a time zone")
    unserved = Counter(
        (each.clinic, channel)
        for each in patients
        for channel in each.channels
        if each.clinic in clinics and (each.clinic, channel) not in routes
        if each.consents(channel) and each.address(channel)
    )
    for (key, channel), count in sorted(unserved.items()):
        yield problem(
            "patients",
            f"of the clinic {key}, {count} would get {channel}, which no transport serves",
            f"Name one: [channels] {channel} = …",
        )


def _zone_is_known(name: str | None) -> bool:
    try:
        return name is None or bool(hours.zone(name))
    except ValueError:
        return False


def _sessions(
    house: House, patients: Iterable[Patient], now: datetime, used: list[CareProtocol]
) -> Iterator[Finding]:
    known = {each.id for each in patients if each.clinic in house.practice.clinics}
    ids = [each for each in house.outbox.open_patient_ids(now) if each in known]
    unsigned: Counter[str] = Counter()
    protocols: dict[str, CareProtocol] = {}
    for start in range(0, len(ids), CHUNK):
        facts = house.outbox.facts(ids[start : start + CHUNK])
        for chart in house.practice.charts(facts, house.outbox.approvals()):
            protocols |= {each.digest: each for each in chart.protocols.values()}
            unsigned.update(_unsigned(chart))
    used.extend(protocols.values())
    yield from _signatures(house, unsigned)


def _unsigned(chart: Chart) -> Iterator[str]:
    """The protocol of each session that has something to send and no signature to send it by."""
    waiting = {each.session_id for each in chart.reminders if each.state in WAITING}
    for session in chart.sessions:
        if session.stands and session.id in waiting and session.id not in chart.approved:
            yield session.protocol


def _signatures(house: House, waiting: Mapping[str, int]) -> Iterator[Finding]:
    """Protocols that sessions wait for, by key, and those whose next session would wait."""
    for key, count in sorted(waiting.items()):
        missing = house.signatures.why_waiting(key)
        yield problem(
            "approval",
            f"{key}: {missing.why}; sessions that wait for it: {count}",
            f"See: {missing.do}" if missing.was_signed else f"Once it is read: {missing.do}",
        )
    idle = [each for each in house.signatures.unsigned() if each.key not in waiting]
    for each in idle:
        if each.was_signed:
            yield note("approval", f"{each.key}: {each.why}", f"See: {each.do}")
    never = [each.key for each in idle if not each.was_signed]
    if never:
        yield note(
            "approval",
            f"not signed, and nothing waits for it: {', '.join(never)}",
            "Before one of them is used: reminderd protocol approve KEY --by NAME",
        )


# Files ------------------------------------------------------------------------------------------


def _protocols(library: ProtocolLibrary, sound: list[Found]) -> Iterator[Finding]:
    """Every file; `sound` gets those without mistakes of the format."""
    keys = library.keys()
    for key in keys:
        try:
            sound.append(library.find(key))
        except FaultsFound as error:
            yield from _problems(f"protocol {key}", error)
    if len(sound) == len(keys):
        yield fine("protocols", ", ".join(keys))


def _templates(
    renderer: Renderer, protocols: Iterable[CareProtocol], misread: set[str]
) -> Iterator[Finding]:
    """Every text; `misread` gets the files of those that cannot be written."""
    said = proofread.check(renderer, {each.digest: each for each in protocols}.values())
    for each in said:
        if ": warning: " in each:
            yield note("templates", each)
        else:
            misread.add(re.split(r":\d+: ", each)[0])
            yield problem("templates", each)
    if not said:
        yield fine("templates", f"{len(renderer.texts.list_templates())}, read and written")


def _examined(
    examination: Examination, found: Iterable[Found], misread: set[str]
) -> Iterator[Finding]:
    """What a careful nurse would find; not again what cannot be written at all."""
    for each in found:
        for remark in examination.of(each):
            if remark.severity is not Severity.HINT and remark.file not in misread:
                about = f"{remark.milestone}: " if remark.milestone else ""
                message = f"{remark.file}:{remark.line}: {about}{remark.what}"
                # An error stops a message, or must; of a warning somebody should know.
                say = problem if remark.severity is Severity.ERROR else note
                yield say(f"protocol {each.protocol.key}", message, remark.remedy)
