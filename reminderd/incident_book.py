"""The part of the store that keeps red flags until a person has acted on them."""

from collections.abc import Collection
from datetime import datetime
from typing import Protocol

from reminderd.outbox_values import Incident


class IncidentBook(Protocol):
    """Keeps each incident for good, with the sessions of which nothing is said meanwhile."""

    def incidents(self, open_only: bool, patient_id: int | None = None) -> list[Incident]:
        """In the order in which they were opened; of everybody, or of one patient."""
        ...

    def open_incidents(self) -> list[Incident]:
        """Those that are open, in that order; a number that cannot be opened any more is empty."""
        ...

    def incident(self, incident_id: int) -> Incident | None: ...

    def treated_until(self, patient_ids: Collection[int]) -> datetime | None:
        """When the latest of their treatments that took place did."""
        ...

    def next_incident_id(self) -> int:
        """The id of the next one; it is given once that is kept."""
        ...

    def keep_incident(self, incident: Incident) -> None:
        """A new one, or one as it is from now on; patients and replies are only added.

        Its sessions follow from that: while it is open, their `Session.withheld_by` is its id.
        """
        ...
