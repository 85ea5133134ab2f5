"""The steps that lead from an empty database to the schema of this program, and of its job queue.

`migrations/NNN-before-what.sql` only adds, so that programs of the version before work on beside
this one. `migrations/NNN-after-what.sql` removes or tightens: it is for when the last worker that
needs what is removed has ended. A step is never edited once it was released. Steps are done in one
order everywhere, so that every database has the same past.
"""

import re
from hashlib import sha256
from importlib.resources import files
from typing import Literal, NamedTuple

Phase = Literal["before", "after"]
Release = tuple[int, ...]

_OURS = re.compile(r"(\d{3})-(before|after)-[a-z-]+")
_OUTSIDE = "-- outside a transaction\n"
_OF_JOBS = "jobs/"


class Step(NamedTuple):
    """One file of statements: all of them are done, or none.

    `release` is the lowest version of the schema, or of the job queue, that works with an
    after-step.
    """

    name: str
    phase: Phase
    release: Release
    sql: str

    @property
    def is_of_jobs(self) -> bool:
        return self.name.startswith(_OF_JOBS)

    @property
    def digest(self) -> str:
        return sha256(self.sql.encode()).hexdigest()

    @property
    def is_outside(self) -> bool:
        """Whether its statements, such as CREATE INDEX CONCURRENTLY, allow no transaction.

        Each of them must be safe to repeat: what was killed is done again from its start.
        """
        return self.sql.startswith(_OUTSIDE)

    @property
    def statements(self) -> list[str]:
        return [each for each in self.sql.split(";\n") if each.strip()]


def own_steps() -> list[Step]:
    """All of ours: by number, and of one number what is before ahead of what is after."""
    found = []
    for name, sql in _files("reminderd.engines.distributed", "migrations").items():
        if named := _OURS.fullmatch(name):
            phase: Phase = "before" if named[2] == "before" else "after"
            found.append(Step(name, phase, (int(named[1]),), sql))
    return sorted(found, key=lambda each: (each.release, each.phase == "after", each.name))


def jobs_steps() -> list[Step]:
    """All of the installed job queue, in its order. From its version 3 on each says its phase."""
    found = []
    for name, sql in sorted(_files("procrastinate.sql", "migrations").items()):
        phase: Phase = "before" if "_pre_" in name else "after"
        found.append(Step(f"{_OF_JOBS}{name}", phase, release(name.partition("_")[0]), sql))
    return found


def whole_jobs_schema() -> str:
    """What all steps of the installed job queue lead to, for a database that has none of it."""
    return (files("procrastinate.sql") / "schema.sql").read_text("utf-8")


def release(text: str) -> Release:
    """The numbers of a version such as `3.10.0`; what is no version is older than any."""
    return tuple(int(each) for each in text.split(".")) if re.fullmatch(r"[\d.]*\d", text) else ()


def _files(package: str, folder: str) -> dict[str, str]:
    """The texts of the statements in a folder of an installed package, by name."""
    found = (each for each in (files(package) / folder).iterdir() if each.name.endswith(".sql"))
    return {each.name.removesuffix(".sql"): each.read_text("utf-8") for each in found}


OWN_STEPS = tuple(own_steps())
VERSION = OWN_STEPS[-1].release[0]  # the schema of this program
