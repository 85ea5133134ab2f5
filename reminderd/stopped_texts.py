"""Texts that a provider has refused: none of them leaves until it reads otherwise, or a person
says that it may.

Kept with the database, so that it outlives the process and every command sees it.
"""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from reminderd.audit import Action, Entry
from reminderd.interfaces import Outbox
from reminderd.model import Channel
from reminderd.texts import Texts

KEPT = "stopped-texts"


class StoppedText(NamedTuple):
    """A template that leaves by no message of the channel, as it read when it was refused."""

    template: str
    channel: Channel
    digest: str
    why: str
    since: datetime


def stopped(outbox: Outbox, texts: Texts) -> list[StoppedText]:
    """Those that still read as they did when they were refused, the oldest first."""
    return [each for each in _kept(outbox) if each.digest == texts.digest([each.template])]


def stop(
    outbox: Outbox,
    texts: Texts,
    templates: Iterable[str],
    channel: Channel,
    why: str,
    now: datetime,
) -> None:
    """Keep these texts back from now on; call it in a transaction."""
    known = {(each.template, each.channel): each for each in stopped(outbox, texts)}
    for template in templates:
        digest = texts.digest([template])
        known.setdefault((template, channel), StoppedText(template, channel, digest, why, now))
    _keep(outbox, known.values())


def resume(outbox: Outbox, let_go: Collection[StoppedText], by: str, now: datetime) -> None:
    """Let these leave again; keeps who said so. Call it in a transaction."""
    if not let_go:
        return
    _keep(outbox, [each for each in _kept(outbox) if each not in let_go])
    named = {"texts": [f"{each.template} ({each.channel})" for each in let_go]}
    outbox.record([Entry(now, by, Action.RELEASED, "texts", after=named)])


def forget(outbox: Outbox) -> None:
    """Let all of them leave on a copy from which nothing does; call it in a transaction."""
    _keep(outbox, [])


def _kept(outbox: Outbox) -> list[StoppedText]:
    rows = json.loads(outbox.note(KEPT) or "[]")
    return [
        StoppedText(template, Channel(channel), digest, why, datetime.fromisoformat(since))
        for template, channel, digest, why, since in rows
    ]


def _keep(outbox: Outbox, texts: Iterable[StoppedText]) -> None:
    rows = [[*each[:4], each.since.isoformat()] for each in texts]
    outbox.set_note(KEPT, json.dumps(rows, ensure_ascii=False))
