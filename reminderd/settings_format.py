"""What reminderd.toml may say (contract, section 7): its sections, and what each value must be.

Everything that needs pydantic, phonenumbers or babel is here, so that a command which only wants
the database can start without them. The sections of transports belong to the transports.
"""

import re
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from babel import Locale, UnknownLocaleError
from phonenumbers import SUPPORTED_REGIONS, NumberParseException, is_valid_number
from phonenumbers import parse as parse_phone
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from reminderd import database_urls, hours
from reminderd.durations import Duration, local_time
from reminderd.faults import did_you_mean
from reminderd.model import QuietHours
from reminderd.sealing import read_key


def _plain(text: str) -> str:
    if "=?" in text or not text.isprintable() or not text.strip():
        raise ValueError('must be plain text, without line breaks, control characters or "=?"')
    return text


def _zone(name: str) -> str:
    hours.zone(name)
    return name


def _country(code: str) -> str:
    if code not in SUPPORTED_REGIONS:
        hint = did_you_mean(code.upper(), SUPPORTED_REGIONS)
        raise ValueError(f'"{code}" is not a country; write its two letters, such as "ES"{hint}')
    return code


def _language(tag: str) -> str:
    try:
        Locale.parse(tag.replace("-", "_"))
    except (ValueError, UnknownLocaleError) as error:
        message = f'"{tag}" is not a language; write for example "en", "es" or "pt-BR"'
        raise ValueError(message) from error
    return tag


def _quiet_hours(text: str) -> str:
    QuietHours.parse(text)
    return text


def _listen(address: str) -> str:
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]+):(\d{1,5})", address, re.ASCII)
    if match is None:
        raise ValueError(f'"{address}" is not an address; write for example "127.0.0.1:8025"')
    if not 1 <= int(match[2]) <= 65535:
        raise ValueError(f"port {int(match[2])} cannot be used; choose one from 1 to 65535")
    return address


def _public_url(url: str) -> str:
    parts = urlsplit(url)
    odd = parts.query or parts.fragment or "@" in parts.netloc or not url.isascii()
    if parts.scheme not in ("http", "https") or not parts.hostname or odd:
        raise ValueError(
            f'"{url}" is not a web address; write for example "https://care.example.org"'
        )
    return url.rstrip("/")


def _encryption_key(key: SecretStr) -> SecretStr:
    read_key(key.get_secret_value())
    return key


def _emergency_phone(number: str) -> str:
    if not re.fullmatch(r"\d{2,6}", number, re.ASCII):
        raise ValueError(f'"{number}" is not an emergency number; write for example "112"')
    return number


def phone_fault(phone: str, country: str) -> str | None:
    """What is wrong with a clinic's phone number, read in its country."""
    try:
        if is_valid_number(parse_phone(phone, country)):
            return None
    except NumberParseException:
        pass
    return f'"{phone}" is not a phone number; write for example "+34 910 000 000"'


def _mailbox(address: str) -> str:
    from email_validator import EmailNotValidError, validate_email

    try:
        return str(validate_email(address, check_deliverability=False).normalized)
    except EmailNotValidError as error:
        message = f'"{address}" is not a mail address; write for example "desk@example.org"'
        raise ValueError(message) from error


def _elapsed(text: str) -> str:
    if Duration.parse(text).elapsed <= timedelta():
        raise ValueError(f'"{text}" is no time at all; write for example "15m"')
    return text


def _time_of_day(text: str) -> str:
    local_time(text)
    return text


PlainText = Annotated[str, AfterValidator(_plain)]
TransportName = Annotated[str, Field(min_length=1)]
StaffAddress = Annotated[str, AfterValidator(_mailbox)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ChannelsSection(_Section):
    """The transport that serves each channel; a channel without one is not used."""

    sms: TransportName | None = Field(None, description="The transport that carries text messages.")
    email: TransportName | None = Field(None, description="The transport that carries mail.")


class ClinicSection(_Section):
    """A clinic: who signs the messages, and the time and place it works by."""

    name: PlainText = Field(description="The clinic's name, as patients read it.")
    phone: PlainText = Field(description="The number that patients may call, as they read it.")
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        description="The IANA time zone of patients who have none of their own."
    )
    country: Annotated[str, AfterValidator(_country)] = Field(
        description="How phone numbers without a country code are read, and which emergency number "
        "patients are told: two letters."
    )
    emergency_phone: Annotated[str, AfterValidator(_emergency_phone)] | None = Field(
        None, description="What patients call in an emergency; absent: the number of the country."
    )
    language: Annotated[str, AfterValidator(_language)] = Field(
        description="The language of patients who have none of their own."
    )
    quiet_hours: Annotated[str, AfterValidator(_quiet_hours)] = Field(
        "21:00-08:00", description="When no patient is disturbed, in the patient's zone."
    )
    channels: ChannelsSection = Field(
        default_factory=lambda: ChannelsSection.model_validate({}),
        description="Other transports for this clinic alone.",
    )


class DatabaseSection(_Section):
    """Where patients, sessions and reminders are kept."""

    url: Annotated[str, AfterValidator(database_urls.checked)] = Field(
        database_urls.DEFAULT,
        description="Where it is: sqlite:/// and a file, relative to this one, or "
        "postgresql://user@host/name for many machines.",
    )
    password: SecretStr | None = Field(
        None, description="The password of that user of PostgreSQL, where one is asked for."
    )
    encryption_key: Annotated[SecretStr, AfterValidator(_encryption_key)] | None = Field(
        None,
        description="32 random bytes in base64, by which names, addresses and texts are encrypted; "
        "absent: they are not.",
    )


class WebSection(_Section):
    """Health and what providers call back, by HTTP."""

    listen: Annotated[str, AfterValidator(_listen)] | None = Field(
        None, description="Address and port to listen on; absent: no HTTP."
    )
    public_url: Annotated[str, AfterValidator(_public_url)] | None = Field(
        None, description="Where providers reach us; absent: they are not asked to call."
    )
    open_figures: bool = Field(
        False, description="/readyz and /metrics answer to other machines too, not to this alone."
    )


class SessionsSection(_Section):
    """How sessions are handled."""

    confirm: bool = Field(
        True, description="A booked session must be marked done before its aftercare goes out."
    )


class SendingSection(_Section):
    """What keeps a mistake from reaching patients."""

    most_per_day: int = Field(
        20,
        ge=1,
        description="So many messages to one patient on one day; what is more waits for the next.",
    )
    unusual_volume: int = Field(
        10,
        ge=2,
        description="So many times the busiest hour of the last 30 days, and never less than 200 "
        "messages, may leave or expire at once; more is held until somebody releases it.",
    )


class AlertsSection(_Section):
    """Who at the clinic is told what cannot wait, and how the day stands."""

    to: list[StaffAddress] = Field(
        default_factory=list, description="Mailboxes that are told at once."
    )
    second: list[StaffAddress] = Field(
        default_factory=list,
        description="Mailboxes that are told, too, when nobody has taken on a red flag in time.",
    )
    acknowledge_within: Annotated[str, AfterValidator(_elapsed)] = Field(
        "15m", description="How long a red flag may wait for somebody to take it on."
    )
    notify: list[SecretStr] = Field(
        default_factory=list,
        description="As `to`, by chat, push or pager: addresses as apprise writes them.",
    )
    second_notify: list[SecretStr] = Field(
        default_factory=list, description="As `second`, by the same ways."
    )
    digest_at: Annotated[str, AfterValidator(_time_of_day)] | None = Field(
        None,
        description="When `to` is mailed how the day stands, on the clock of the first clinic, "
        "such as 07:30; absent: never.",
    )


Clinics = Annotated[dict[str, ClinicSection], Field(min_length=1)]


class SettingsFormat(_Section):
    """The whole configuration."""

    model_config = ConfigDict(title="reminderd configuration")

    clinics: Clinics = Field(description="The clinics, each under a short name of its own.")
    database: DatabaseSection = Field(default_factory=lambda: DatabaseSection.model_validate({}))
    channels: ChannelsSection = Field(default_factory=lambda: ChannelsSection.model_validate({}))
    transports: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="What each transport needs to know, under its name."
    )
    web: WebSection = Field(default_factory=lambda: WebSection.model_validate({}))
    sending: SendingSection = Field(default_factory=lambda: SendingSection.model_validate({}))
    sessions: SessionsSection = Field(default_factory=lambda: SessionsSection.model_validate({}))
    alerts: AlertsSection = Field(default_factory=lambda: AlertsSection.model_validate({}))
