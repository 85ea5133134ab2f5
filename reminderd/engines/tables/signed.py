"""Signatures with what they are for, and every text of a protocol that was pinned."""

import json
from collections.abc import Sequence

from reminderd.engines.tables.rows import from_ms, to_ms
from reminderd.engines.tables.store import THESE, Store
from reminderd.interfaces import Approval, Pinned, Signed
from reminderd.model import CareProtocol

_STANDS = "state IN ('booked', 'done')"


def pin(store: Store, protocol: CareProtocol, document: str) -> int:
    """Keep the text unless it is there; its id."""
    store.execute(
        "INSERT INTO protocol_versions (key, revision, digest, document) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (digest) DO NOTHING",
        (protocol.key, protocol.revision, protocol.digest, document),
    )
    rows = store.query("SELECT id FROM protocol_versions WHERE digest = ?", (protocol.digest,))
    return int(rows[0][0])


def pinned(store: Store, key: str) -> list[Pinned]:
    """Every text of that protocol, with the number of its sessions."""
    rows = store.query(
        "SELECT id, revision, digest, document, "
        "(SELECT count(*) FROM sessions WHERE protocol_version = protocol_versions.id) "
        "FROM protocol_versions WHERE key = ? ORDER BY id",
        (key,),
    )
    return [Pinned(*row) for row in rows]


def patients_under(store: Store, versions: Sequence[int]) -> list[int]:
    """Patients who have a session that stands under one of these texts."""
    rows = store.query(
        f"SELECT DISTINCT patient FROM sessions WHERE {_STANDS} "
        f"AND protocol_version IN {THESE} ORDER BY patient",
        (json.dumps(list(versions)),),
    )
    return [row[0] for row in rows]


def add_approval(store: Store, approval: Approval, version: int, texts: str) -> None:
    """Keep the signature and what it is for."""
    store.execute(
        "INSERT INTO approvals (protocol, revision, digest, by, at, protocol_version, texts) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            approval.protocol, approval.revision, approval.digest, approval.by,
            to_ms(approval.at), version, texts,
        ),
    )  # fmt: skip


def approvals(store: Store) -> list[Approval]:
    """Every signature, without what it is for."""
    rows = store.query("SELECT protocol, revision, digest, by, at FROM approvals ORDER BY id")
    return [Approval(row[0], row[1], row[2], row[3], from_ms(row[4])) for row in rows]


def signed(store: Store, digest: str) -> Signed:
    """What the latest signature of that digest is for."""
    rows = store.query(
        "SELECT document, texts FROM approvals "
        "LEFT JOIN protocol_versions ON protocol_versions.id = approvals.protocol_version "
        "WHERE approvals.digest = ? ORDER BY texts IS NULL, approvals.id DESC LIMIT 1",
        (digest,),
    )
    return Signed(*rows[0]) if rows else Signed(None, None)
