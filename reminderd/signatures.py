"""Which protocols are signed as they stand, and what has changed since they were."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from reminderd import protocol_changes
from reminderd.errors import FaultsFound, NotFound
from reminderd.hours import local_date
from reminderd.interfaces import Approval, Outbox
from reminderd.practice import Practice
from reminderd.protocol_changes import Difference, TextDifference
from reminderd.protocols import Found, ProtocolLibrary
from reminderd.texts import read_sources


class Unsigned(NamedTuple):
    """Why reminders of a protocol wait for a signature, and the command that helps."""

    key: str
    why: str
    do: str
    was_signed: bool = False


class Since(NamedTuple):
    """What differs from what was signed last.

    `approval` is None where nobody ever signed; `rules` and `texts` are None where what was signed
    is not known, because it was signed before that was kept.
    """

    approval: Approval | None
    stands: bool
    rules: list[Difference] | None
    texts: list[TextDifference] | None


class Signatures:
    """Looks at the files as they are now and at the signatures in the store."""

    def __init__(self, outbox: Outbox, practice: Practice, library: ProtocolLibrary) -> None:
        self._outbox = outbox
        self._practice = practice
        self._library = library

    def since(self, found: Found) -> Since:
        """What has changed in a protocol and in its templates since it was last signed."""
        protocol = found.protocol
        approvals = self._outbox.approvals()
        standing = self._practice.signature_under(protocol, approvals)
        if standing is not None:
            return Since(standing, True, [], [])
        last = self._last(protocol.key)
        signed = self._outbox.signed(last.digest) if last else None
        if signed is None or signed.document is None or signed.texts is None:
            return Since(last, False, None, None)
        rules = protocol_changes.rules(json.loads(signed.document), json.loads(found.document))
        now = read_sources(self._practice.signed_texts(protocol))
        return Since(last, False, rules, protocol_changes.texts(read_sources(signed.texts), now))

    def unsigned(self) -> Iterator[Unsigned]:
        """The protocols whose messages may not leave, where any message leaves the machine.

        Those whose file holds mistakes are left to `protocol check`.
        """
        if not any(clinic.leaving for clinic in self._practice.clinics.values()):
            return
        approvals, keys = self._outbox.approvals(), self._library.keys()
        for key in keys:
            try:
                protocol = self._library.find(key).protocol
            except FaultsFound:
                continue
            if self._practice.signature_under(protocol, approvals) is None:
                yield self.why_waiting(key)

    def why_waiting(self, key: str) -> Unsigned:
        """Why reminders of that protocol are held for want of a signature."""
        try:
            protocol = self._library.find(key).protocol
        except (FaultsFound, NotFound):
            return Unsigned(key, "its file cannot be used", f"reminderd protocol check {key}")
        if self._practice.signature_under(protocol, self._outbox.approvals()):
            why = "sessions are under older rules, which no signature covers with today's texts"
            return Unsigned(key, why, f"reminderd protocol migrate {key} --preview")
        last = self._last(key)
        if last is None:
            return Unsigned(key, "not signed", f"reminderd protocol approve {key} --by NAME")
        day = local_date(next(iter(self._practice.clinics.values())).timezone, last.at)
        why = f"signed by {last.by} on {day}, changed since"
        return Unsigned(key, why, f"reminderd protocol diff {key}", was_signed=True)

    def _last(self, key: str) -> Approval | None:
        given = [each for each in self._outbox.approvals() if each.protocol == key]
        return given[-1] if given else None
