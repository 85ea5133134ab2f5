"""The database's tables as a new one has them, with what every column means."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlite_utils import Database

from docs.cluster_tables import cluster_part
from reminderd import sealing
from reminderd.engines.embedded import connection, schema, store
from reminderd.words import (
    AnswerKind,
    AnswerState,
    How,
    Outcome,
    Receipt,
    SessionState,
    Severity,
    Wish,
)

_OUTCOMES = ", ".join(f"`{each}`" for each in Outcome)
_RECEIPTS = ", ".join(f"`{each}`" for each in Receipt)
_SESSION_STATES = ", ".join(f"`{each}`" for each in SessionState)
_SEVERITIES = ", ".join(f"`{each}`" for each in Severity)
_HOWS = ", ".join(f"`{each}`" for each in How)
_WISHES = ", ".join(f"`{each}`" for each in Wish)
_CHANNEL = "`sms` or `email`."

_ANSWER_KINDS = ", ".join(f"`{each}`" for each in AnswerKind)
_ANSWER_STATES = ", ".join(f"`{each}`" for each in AnswerState)

SEALED = [each for each in sealing.TABLES if each.only == "TRUE"]
TABLES = {
    "patients": "A person in aftercare.",
    "consents": "Whether a patient wants to hear from the clinic on a channel.",
    "consent_ledger": "Everything that was ever said about being written to. Only added to; the "
    "present [consents](consent.md) are its last words.",
    "protocol_versions": "Every text of a protocol that was signed or had a session, for good.",
    "approvals": "Signatures under protocols.",
    "sessions": "Treatments, past and booked.",
    "session_changes": "How a session was before each change of it.",
    "zone_changes": "In which zone a patient lived before each change of it.",
    "corrections": "What staff have told patients in person, where a text had become false.",
    "reminders": "The outbox: one milestone of one session, planned for one instant. "
    "The row is the schedule; there is no other.",
    "messages": "What leaves: one or more reminders of one patient, in words, for one channel.",
    "message_reminders": "Which reminders a message carries.",
    "attempts": "Each hand-over of a message to a transport.",
    "callbacks": "What providers told of messages by themselves, each message and receipt once.",
    "replies": "What people wrote to a number of the clinic, each message once, and what was "
    "decided.",
    "answers": "What whoever wrote was [told at once](replies.md#what-is-answered), by itself; "
    "at most one to each reply.",
    "reply_patients": "Who had the number from which a reply came.",
    "incidents": "Red flags that a person has to act on, one at a time for a number.",
    "incident_patients": "Who had that number.",
    "incident_replies": "The red flags of an incident.",
    "alerts": "What staff were told, or are to be: each thing to each of them once.",
    "check_replies": "To which check-in a reply belongs, and what it answers.",
    "notes": "What reminderd remembers about itself.",
    "objections": "Addresses of erased people who had withdrawn consent, as keyed hashes.",
    "audit": "The [audit trail](audit.md): who did what to whom. Never changed, never shortened.",
}

COLUMNS = {
    "patients": {
        "id": "The number in `pat-12`. Never used twice.",
        "ref": "The clinic's own key.",
        "clinic": "The section `[clinics.…]` that the patient belongs to.",
        "given_name": "What the texts call the patient.",
        "family_name": "For the staff; no text says it.",
        "phone": "E.164, such as `+34600000001`.",
        "email": "One address.",
        "phone_key": "By what SQL finds the number: itself, or a keyed hash of it where the "
        "database is [encrypted](encryption.md).",
        "email_key": "Likewise of the address.",
        "timezone": "An IANA name; the clinic's where it is empty.",
        "language": "Such as `es`; the clinic's where it is empty.",
        "channels": "In the patient's order, joined with `;`.",
        "paused": "1 while everything of the patient is held.",
        "bad_addresses": "Channels whose address a provider called wrong, joined with `;`.",
        "created_at": "When the patient was taken in.",
        "screening": "What staff noted at enrolment, joined with `;`. No text speaks of it.",
        "updated_at": "When anything here changed last.",
        "erased_at": "When everything personal was removed.",
    },
    "consents": {
        "patient": "Whose.",
        "channel": _CHANNEL,
        "granted": "1 where the patient agreed, 0 where consent was withdrawn.",
        "at": "Since when.",
        "source": "How it is known: a form, an import, a provider's answer.",
        "how": f"One of {_HOWS}.",
    },
    "consent_ledger": {
        "id": "The place in the ledger.",
        "patient": "Whose.",
        "channel": f"{_CHANNEL} Empty where it is about all of them.",
        "wish": f"One of {_WISHES}.",
        "address": "The number or address that it is about.",
        "at": "When it was said: the latest counts.",
        "how": f"One of {_HOWS}.",
        "by": "Who said it or wrote it down.",
        "source": "How it is known, as staff wrote it.",
        "words": "What the patient wrote.",
        "recorded_at": "When it was written down.",
    },
    "protocol_versions": {
        "id": "What sessions point to.",
        "key": "The protocol's key.",
        "revision": "The number in its file.",
        "digest": "A fingerprint of the document, whatever its layout.",
        "document": "The protocol as JSON.",
    },
    "approvals": {
        "id": "A number.",
        "protocol": "The protocol's key.",
        "revision": "Its revision when it was signed.",
        "digest": "A fingerprint of the protocol and of every template that it uses.",
        "by": "Who signed.",
        "at": "When.",
        "protocol_version": "The protocol that was signed; empty where that was not kept yet.",
        "texts": "What its templates said then, in every language.",
    },
    "sessions": {
        "id": "The number in `ses-12`. Never used twice.",
        "patient": "Who was or will be treated.",
        "protocol_version": "The protocol as it was when the session was recorded.",
        "at": "When the treatment is or was.",
        "state": f"One of {_SESSION_STATES}.",
        "tags": "Such as `weight-loss`, joined with `;`.",
        "area": "The treated area, as the clinic typed it.",
        "recorded_at": "When the session was entered.",
        "adjustments": "What staff decided for this session: a JSON object by milestone.",
    },
    "session_changes": {
        "id": "A number.",
        "session": "What was changed.",
        "protocol_version": "The protocol that it was under until then.",
        "at": "When the treatment was to be until then.",
        "state": "The state it had until then.",
        "adjustments": "What staff had decided for it until then.",
        "changed_at": "When it was changed.",
        "by": "Who changed it.",
        "why": "Why, if they said.",
    },
    "zone_changes": {
        "id": "A number.",
        "patient": "Who lived there.",
        "zone": "The zone until then.",
        "changed_at": "When it was changed.",
    },
    "corrections": {
        "reminder": "Whose words no longer held.",
        "at": "When the patient was told.",
        "by": "Who told them.",
    },
    "reminders": {
        "id": "The number in `rem-12`. Never used twice.",
        "patient": "Who is to read it.",
        "session": "The treatment that it belongs to.",
        "protocol": "The protocol's key.",
        "revision": "The protocol's revision.",
        "milestone": "Which rule of the protocol.",
        "occurrence": "Which day of a milestone that has several, from 1.",
        "kind": "The milestone's kind; see [protocol files](protocol-format.md).",
        "topics": "What it is about, joined with `;`.",
        "template": "The name of its text.",
        "channel": f"{_CHANNEL} Empty where none was chosen.",
        "nominal_at": "When the protocol wants it.",
        "due_at": "When it is due, quiet hours considered.",
        "wake_at": "When sending looks at it next. Set exactly while it is `scheduled`.",
        "expires_at": "From here on it is not sent any more.",
        "first_planned_at": "When it was first thought of.",
        "state": "See [how it decides](how-it-decides.md).",
        "reason": "Why it is in that state; the same page.",
        "attempts": "How many hand-overs counted.",
        "sent_at": "When the provider took it.",
        "provider_id": "What the provider calls it.",
        "receipt": f"What the provider said later: {_RECEIPTS}, or empty.",
        "needs_staff": "1 where the planner found something that only a person can settle.",
    },
    "messages": {
        "id": "The number in `msg-12`. Never used twice.",
        "patient": "Who is to read it.",
        "channel": _CHANNEL,
        "transport": "What carries it.",
        "created_at": "When it was put together.",
        "recipient": "The number or address.",
        "language": "In which it was written.",
        "subject": "Of a mail.",
        "text": "The words as they left.",
        "html": "Of a mail.",
        "segments": "Of an SMS: how many it is paid for as.",
        "envelope": "Of a mail: what it needs beside its text to be sent again byte for byte.",
    },
    "message_reminders": {"reminder": "The reminder.", "message": "The message that carries it."},
    "attempts": {
        "id": "A number.",
        "message": "What was handed over.",
        "outcome": f"One of {_OUTCOMES}.",
        "claimed_at": "When it was taken from the schedule: nothing has left.",
        "marked_at": "When it was about to be handed over: from here on it may have left.",
        "settled_at": "When the outcome was known.",
        "provider_id": "What the provider calls it.",
        "code": "The provider's code for what went wrong.",
        "error": "What went wrong, without names, numbers and addresses.",
        "look_at": "While it is in doubt: when evidence is looked for next.",
        "looks": "How often it was looked for.",
        "token": "A random id, by which the provider may speak of it.",
    },
    "callbacks": {
        "id": "A number, in the order in which they came.",
        "attempt": "What it is about.",
        "provider_id": "What the provider calls the message.",
        "receipt": f"One of {_RECEIPTS}.",
        "code": "The provider's code for what went wrong.",
        "meaning": "What the code means, where more than the staff should know: `wrong-address` or "
        "`opted-out`.",
        "received_at": "When it came.",
        "applied_at": "When it was applied; empty while it waits for that.",
    },
    "replies": {
        "id": "The number in `rep-12`. Never used twice.",
        "transport": "By which it came.",
        "provider_id": "What the provider calls it.",
        "sender": "The number from which it came.",
        "recipient": "Our number.",
        "text": "The words as they came.",
        "media": "How many pictures or other files came with it; the provider has them.",
        "answered": "1 where the provider has answered it by itself.",
        "sent_at": "When the provider got it, where it says so.",
        "received_at": "When it was on disk here.",
        "handled_at": "When it was decided what is done about it; empty while it waits for that.",
        "decision": "What that is, in a word; `staff`: a person reads it.",
        "why": "Why: a JSON object.",
        "for_staff": "1 while it waits for a person.",
        "done_at": "When a person had read it.",
        "done_by": "Who that was.",
    },
    "answers": {
        "id": "The number in `ans-12`. Never used twice.",
        "reply": "To which reply.",
        "kind": f"One of {_ANSWER_KINDS}.",
        "number": "To which number.",
        "transport": "By which it leaves: the one by which the reply came.",
        "language": "Of its words.",
        "text": "The words in which it leaves.",
        "created_at": "When the reply was decided on.",
        "expires_at": "From when on it is pointless.",
        "state": f"One of {_ANSWER_STATES}.",
        "tries": "How often it may have reached the provider.",
        "wake_at": "When sending looks at it next. Set exactly while it waits.",
        "marked_at": "When it was about to be handed over.",
        "sent_at": "When the provider had taken it.",
        "provider_id": "What the provider calls it.",
        "code": "The provider's code for what went wrong; `replaced` where another took its place.",
        "error": "What went wrong.",
        "token": "The random id by which the provider may speak of it.",
        "receipt": f"What the provider said has become of it: one of {_RECEIPTS}.",
    },
    "reply_patients": {"reply": "What came.", "patient": "Who has that number."},
    "incidents": {
        "id": "The number in `inc-12`. Never used twice.",
        "severity": f"One of {_SEVERITIES}.",
        "number": "The number from which it came.",
        "opened_at": "When the first red flag came.",
        "raised_at": "When the latest one came. While it is open, nothing that reassures is said "
        "of what was done to these patients until then.",
        "acknowledged_at": "When somebody took it on; empty again where a worse one followed.",
        "acknowledged_by": "Who that was.",
        "closed_at": "When it was closed.",
        "closed_by": "Who closed it.",
        "why": "What they found.",
    },
    "incident_patients": {"incident": "The incident.", "patient": "Who had that number."},
    "incident_replies": {"incident": "The incident.", "reply": "A red flag."},
    "alerts": {
        "id": "A number.",
        "key": "What it is about, such as `incident/3/…`. Nothing is told twice under one key.",
        "place": "Which of the recipients this is, from 0.",
        "recipient": "A mailbox of the staff, or a service by a short name of its own.",
        "created_at": "When it came up.",
        "wake_at": "When it is sent, or tried again; empty: it is not.",
        "tries": "How often it failed.",
        "sent_at": "When it was taken.",
        "error": "Why it was not, the last time, or why it was given up.",
    },
    "check_replies": {
        "reply": "What came.",
        "reminder": "What it belongs to.",
        "answer": "`1` to `5`, or `all-good`; empty where it is something else.",
    },
    "notes": {
        "key": "What it is about.",
        "value": "What is remembered; that of `objections-key` is encrypted.",
    },
    "objections": {
        "address": "HMAC-SHA-256 of the channel and the number or address.",
        "channel": _CHANNEL,
        "at": "When consent was withdrawn.",
    },
    "audit": {
        "id": "The place in the trail, from 1 and without a gap.",
        "at": "When it was done.",
        "by": "Who did it; `reminderd` where nobody typed.",
        "action": "What was done, such as `session-moved`.",
        "what": "To what: a public id, or a protocol's key.",
        "patient": "Whom it is about, or the first of several.",
        "last_patient": "The last of several.",
        "before": "What changed, as it was: a JSON object without anything personal.",
        "after": "The same, as it became.",
        "digest": "A fingerprint of the digest before and of this row.",
    },
}


def schema_page() -> str:
    """The page `schema.md`; raises KeyError for a table or a column that nobody explained."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "reminderd.db"
        store.create(path)
        opened = connection.connect(path, read_only=True)
        try:
            return "\n".join(_page(Database(opened)))
        finally:
            opened.close()


def _page(database: Database) -> Iterator[str]:
    yield "# The database\n"
    yield "Written from a new database by `make docs`; the statements themselves stand in"
    yield "[`schema.py`](../reminderd/engines/embedded/schema.py) and `first_schema.py`. This is"
    yield f"schema {schema.VERSION} (`PRAGMA user_version`).\n"
    yield "It is one SQLite file. Every table is STRICT, and states, kinds and channels are"
    yield "checked by the database itself. Instants are whole milliseconds since 1970 in UTC:"
    yield "`datetime(due_at / 1000, 'unixepoch')` reads one. Read it with any SQLite tool;"
    yield "leave the writing to reminderd. What is marked encrypted is so where a"
    yield "[key](encryption.md) is configured.\n"
    known: set[tuple[str, str]] = set()
    for table in database.tables:
        if not table.name.startswith(("_", "sqlite_")):
            yield from _table(database, table.name)
            known |= {(table.name, column.name) for column in table.columns}
    yield from cluster_part(known)


def _table(database: Database, name: str) -> Iterator[str]:
    yield f"## {name}\n"
    yield f"{TABLES[name]}\n"
    yield "| column | type | | is |"
    yield "|---|---|---|---|"
    sealed = [column for each in SEALED if each.table == name for column in each.columns]
    others = {each.column: each.other_table for each in database[name].foreign_keys}
    for column in database[name].columns:
        marks = ["key"] if column.is_pk else []
        marks += [f"of `{others[column.name]}`"] if column.name in others else []
        marks += [] if column.notnull or column.is_pk else ["may be empty"]
        marks += ["encrypted"] if column.name in sealed else []
        meaning = COLUMNS[name][column.name]
        yield f"| `{column.name}` | {column.type} | {', '.join(marks)} | {meaning} |"
    yield ""
