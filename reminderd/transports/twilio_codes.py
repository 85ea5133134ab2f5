"""What Twilio's error codes mean, as data; anything not listed goes to a person.

The codes of its Messages interface and of its delivery receipts share one numbering.
"""

from collections.abc import Mapping

from reminderd.errors import (
    AtCapacity,
    ContentRefused,
    CredentialsRefused,
    InDoubt,
    OptedOut,
    Rejected,
    SenderRefused,
    TransportError,
    WrongAddress,
)

Verdict = tuple[type[TransportError], str]

CODES: Mapping[int, Verdict] = {
    # The number cannot receive: another channel may.
    21211: (WrongAddress, "the number is not a valid phone number"),
    21214: (WrongAddress, "the number cannot be reached"),
    21217: (WrongAddress, "the number does not look valid"),
    21265: (WrongAddress, "the number is a short code"),
    21266: (WrongAddress, "the number is the one that we send from"),
    21614: (WrongAddress, "the number is not a mobile number"),
    21635: (WrongAddress, "the number is a landline"),
    30005: (WrongAddress, "the number is unknown or no longer in service"),
    30006: (WrongAddress, "the number is a landline or its carrier is out of reach"),
    # The person has told the provider to stop.
    21610: (OptedOut, "the recipient has opted out"),
    # The text, whoever it is for: it stops.
    21602: (ContentRefused, "the text is missing"),
    21617: (ContentRefused, "the text is too long"),
    21619: (ContentRefused, "the text is missing"),
    30007: (ContentRefused, "the carrier filtered the text"),
    # This destination, or this request: a person has to look at the message.
    21408: (Rejected, "the account may not send to this country"),
    21608: (Rejected, "a trial account sends to verified numbers only"),
    21612: (Rejected, "no route leads from this sender to this number"),
    21624: (Rejected, "the validity period is out of range"),
    # The sender or its set-up: the transport stops, messages wait.
    21212: (SenderRefused, "the sender's number is not valid"),
    21601: (SenderRefused, "the sender's number is none of the account's"),
    21603: (SenderRefused, "the sender is missing"),
    21606: (SenderRefused, "the sender's number cannot send to this destination"),
    21609: (SenderRefused, "the address for status callbacks is not valid"),
    21659: (SenderRefused, "the sender's number is not one of the provider's"),
    21660: (SenderRefused, "the sender's number belongs to another account"),
    21661: (SenderRefused, "the sender's number cannot send text messages"),
    21703: (SenderRefused, "the messaging service has no sender"),
    21705: (SenderRefused, "the messaging service does not exist"),
    30034: (SenderRefused, "the sender's number is not registered with the carriers"),
    # Who we are is not accepted: the transport stops, nothing is burned.
    10001: (CredentialsRefused, "the account is not active"),
    20003: (CredentialsRefused, "account or token are wrong"),
    20005: (CredentialsRefused, "the account is not active"),
    20008: (CredentialsRefused, "test credentials cannot do this"),
    20404: (CredentialsRefused, "there is no such account"),
    30002: (CredentialsRefused, "the account is suspended"),
    70051: (CredentialsRefused, "the account or its key may not do this"),
    90010: (CredentialsRefused, "the account is not active"),
    # Not processed, for want of capacity: the same request may succeed later.
    14107: (AtCapacity, "no room: too many messages at once"),
    20429: (AtCapacity, "no room: too many requests at once"),
    21611: (AtCapacity, "no room: the sender's queue is full"),
    30001: (AtCapacity, "no room: the account's queue is full"),
    63017: (AtCapacity, "no room: too many messages at once"),
    63038: (AtCapacity, "the account's daily limit is reached"),
}

# For answers without a code of their own.
STATUSES: Mapping[int, Verdict] = {
    401: (CredentialsRefused, "account or token are wrong"),
    403: (CredentialsRefused, "the account may not do this"),
    404: (CredentialsRefused, "there is no such account"),
    408: (InDoubt, "the request may not have arrived whole"),
    429: (AtCapacity, "no room: too many requests at once"),
}

UNKNOWN: Verdict = (Rejected, "refused for a reason that a person has to look up")


def verdict(status: int, code: int | None) -> Verdict:
    """What an answer other than 2xx means; `code` is the provider's own, where it gave one."""
    if 300 <= status < 400:
        return InDoubt, "an answer from somewhere else"
    if status >= 500:
        return InDoubt, "an inner failure"
    if status == 429:
        return STATUSES[429]
    return CODES.get(code or 0) or STATUSES.get(status) or UNKNOWN
