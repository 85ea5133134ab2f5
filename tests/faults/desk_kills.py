"""Kills a real process while it does what staff typed: either all of it is done, or nothing."""

from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from signal import SIGKILL

from reminderd.bootstrap import House
from reminderd.engines.embedded import backup, connection, encrypting, schema, soundness, store
from reminderd.findings import Level
from reminderd.holding import held
from reminderd.interfaces import ReminderFilter
from reminderd.model import Channel, Reminder
from reminderd.sealing import TABLES
from tests.faults.checker import wrongs
from tests.faults.crash import COPYING, MIGRATE, STATEMENT
from tests.faults.ledger import Ledger
from tests.faults.scenes import START, Scene, roster

Findings = Iterable[str]
Found = tuple[Findings, bool]
Kill = Callable[[Scene], Found]


def _dies(scene: Scene, step: str, number: int, *words: str) -> bool:
    return scene.types(*words, step=step, number=number) == -SIGKILL


def _sends(scene: Scene) -> int:
    return scene.types("run", "--once")


# Import ------------------------------------------------------------------------------------------


def in_an_import(scene: Scene, step: str) -> Found:
    """All rows of the file are there, or none; it can be repeated."""
    words = ("patient", "import", str(roster(scene.folder, scene.chance.randint(1, 4))))
    killed = _dies(scene, step, 1, *words)
    house = scene.house()
    count, found = len(house.outbox.patients()) - scene.count, list[str]()
    if killed and step.startswith("after") == (count == 0):
        found.append(f"killed {step}, and there are {count} patients more")
    if scene.types(*words) not in (0, 5):
        found.append(f"cannot be repeated: {scene.log[-500:]}")
    planned = {each.session_id for each in house.outbox.reminders(ReminderFilter())}
    if any(each.id not in planned for each in house.outbox.sessions()):
        found.append("a session without a plan")
    found += _wrongs(scene, house)
    return found, killed


# A word that was kept ----------------------------------------------------------------------------


def in_a_withdrawal(scene: Scene, step: str) -> Found:
    """Once a STOP is committed nothing leaves for that channel, whoever was killed."""
    channel = Channel.SMS if scene.texts else Channel.EMAIL
    killed = _dies(
        scene, step, 1, "patient", "consent", "pat-1", "--channels", channel, "--withdraw",
        "--source", "phone",
    )  # fmt: skip
    _sends(scene)
    house, found = scene.house(), list[str]()
    patient = house.intake.patient("pat-1")
    if killed and patient.consents(channel) == step.startswith("after"):
        found.append(f"killed {step}, and consent is {patient.consents(channel)}")
    left = [each for each in scene.ledger(house).entries if each.to == patient.address(channel)]
    if bool(left) != patient.consents(channel):
        found.append(f"consent is {patient.consents(channel)}, and {len(left)} messages left")
    return [*found, *_wrongs(scene, house)], killed


def in_an_erasure(scene: Scene, step: str) -> Found:
    """A person is there as before or erased; typed again nothing of them stays in the file."""
    words = ("patient", "erase", "pat-1", "--by", "Ana", "--yes")
    killed = _dies(scene, step, 1, *words)
    house, found = scene.house(), list[str]()
    erased = house.outbox.query("SELECT erased_at FROM patients WHERE id = 1") != [(None,)]
    if killed and erased != (step.startswith("after") or "scrub" in step):
        found.append(f"killed {step}, and erased is {erased}")
    house.outbox.close()
    if scene.types(*words) != 0:
        found.append(f"cannot be typed again: {scene.log[-500:]}")
    data = b"".join(each.read_bytes() for each in scene.folder.glob("reminderd.db*"))
    found += [
        f"{each!r} is still in the file" for each in (b"Canaria1", b"canaria1@") if each in data
    ]
    _sends(scene)
    house = scene.house()
    if len(scene.ledger(house).entries) != scene.count - 1:
        found.append(f"of {scene.count - 1} messages {len(scene.ledger(house).entries)} left")
    return [*found, *_wrongs(scene, house)], killed


# The file ----------------------------------------------------------------------------------------


def in_a_backup(scene: Scene, step: str) -> Found:
    """A backup has its name only once it is whole, and the database does not change."""
    target = scene.folder / "kept.db"
    number = scene.chance.randint(1, 20) if step == COPYING else 1
    killed = _dies(scene, step, number, "db", "backup", str(target))
    found = _unsound(scene.database)
    if target.exists():
        backup.verify(target)
    if killed and target.exists() != (step == "after the new name"):
        found.append(f"killed {step}, and there is a file: {target.exists()}")
    if scene.types("db", "backup", str(target), "--force") != 0:
        found.append(f"cannot be taken again: {scene.log[-500:]}")
    _sends(scene)
    house = scene.house()
    if len(scene.ledger(house).entries) != scene.count:
        found.append("not everything has left")
    return [*found, *_wrongs(scene, house)], killed


def in_a_restore(scene: Scene, step: str) -> Found:
    """The database is the one of before or the one that was put back; that one is held."""
    copy = scene.folder / "kept.db"
    backup.back_up(scene.database, copy)
    _sends(scene)  # so that the backup believes that what was sent is due
    number = scene.chance.randint(1, 20) if step == COPYING else 1
    killed = _dies(scene, step, number, "db", "restore", str(copy))
    found = _unsound(scene.database)
    house = scene.house()
    put_back = bool(held(house.outbox))
    if killed and put_back != (step == "after the new name"):
        found.append(f"killed {step}, and put back is {put_back}")
    _sends(scene)
    if len(scene.ledger(house).entries) != scene.count:
        found.append("sent again after a restore")
    house.outbox.close()
    if scene.types("db", "restore", str(copy)) != 0:
        found.append(f"cannot be put back again: {scene.log[-500:]}")
    house = scene.house()
    if not held(house.outbox):
        found.append("put back, and not held")
    house.outbox.close()
    return found, killed


def in_a_pruning(scene: Scene, step: str) -> Found:
    """Nothing but old words goes, and typed again all of them are gone from the file."""
    later = START + timedelta(days=200)
    ledger, before = _grown_old(scene, later)
    words = ("db", "prune", "--older-than", "30d", "--by", "Ana", "--yes")
    killed = scene.types(*words, at=later, step=step) == -SIGKILL
    found = _unsound(scene.database)
    if scene.types(*words, at=later) != 0:
        found.append(f"cannot be typed again: {scene.log[-500:]}")
    data = b"".join(each.read_bytes() for each in scene.folder.glob("reminderd.db*"))
    old = [each for each in ledger.entries if each.at == START]
    found += [f"msg-{each.message} is in the file" for each in old if each.text.encode() in data]
    house = scene.house()
    if house.outbox.reminders(ReminderFilter()) != before:
        found.append("what was sent is remembered otherwise")
    found += wrongs(house.outbox, ledger, set(), START)
    house.outbox.close()
    return found, killed and bool(old)


def _grown_old(scene: Scene, later: datetime) -> tuple[Ledger, list[Reminder]]:
    """Everything has left or expired long ago; what left and what is remembered of it."""
    key = (scene.count, scene.texts)
    if key not in _old:
        _sends(scene)
        scene.types("run", "--once", at=later)
        house = scene.house()
        ledger, reminders = scene.ledger(house), house.outbox.reminders(ReminderFilter())
        house.outbox.close()
        _old[key] = (scene.database.read_bytes(), ledger, reminders)
    file, ledger, reminders = _old[key]
    scene.database.write_bytes(file)
    return ledger, reminders


_old: dict[tuple[int, bool], tuple[bytes, Ledger, list[Reminder]]] = {}


def in_an_encryption(scene: Scene, step: str) -> Found:
    """Everything is encrypted, or nothing; typed again nothing can be read in the file any more."""
    scene.encrypts()
    number = scene.chance.randint(1, len(TABLES)) if "table" in step else 1
    killed = _dies(scene, step, number, "db", "encrypt")
    found = list[str]()
    if killed and (encrypting.key_of(scene.database) is not None) != ("finish" in step):
        found.append(f"killed {step}, and its key is {encrypting.key_of(scene.database)}")
    if scene.types("db", "encrypt") != 0:
        found.append(f"cannot be typed again: {scene.log[-500:]}")
    data = b"".join(each.read_bytes() for each in scene.folder.glob("reminderd.db*"))
    found += [f"the file says {each!r}" for each in (b"Canaria", b"canaria") if each in data]
    _sends(scene)
    house = scene.house()
    if len(scene.ledger(house).entries) != scene.count:
        found.append("not everything has left")
    return [*found, *_wrongs(scene, house)], killed


def in_a_migration(scene: Scene) -> Found:
    """An old database is of the old version or of the new one."""
    from sqlite_utils import Database

    path = scene.database
    path.unlink()
    with closing(connection.connect(path, create=True)) as old:
        old.execute("BEGIN IMMEDIATE")
        schema.migrations().apply(Database(old), stop_before="002-what-changed")
        old.execute("PRAGMA user_version = 1")
        old.execute("COMMIT")
    before = _schema(path)
    killed = _dies(scene, STATEMENT, scene.chance.randint(1, 20), MIGRATE)
    found = list[str]()
    if killed and _schema(path) != before:
        found.append("killed between two statements, and the schema is another")
    if killed and not store.create(path):
        found.append("cannot be brought up to date any more")
    store.SqliteStore(path, durable=False).close()
    return found, killed


def _schema(path: Path) -> list[tuple[str, ...]]:
    with closing(connection.connect(path)) as opened:
        names = opened.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
        return [*names, opened.execute("PRAGMA user_version").fetchone()]


def _unsound(database: Path) -> list[str]:
    found = soundness.examine(database)
    return [f"{each.subject}: {each.message}" for each in found if each.level is not Level.FINE]


def _wrongs(scene: Scene, house: House) -> list[str]:
    """What must hold of a clinic that was looked at once, with all that is due."""
    found = wrongs(house.outbox, scene.ledger(house), set(), START.replace(year=2020))
    house.outbox.close()
    return found


def _points(kill: Callable[[Scene, str], Found], what: str, *steps: str) -> dict[str, Kill]:
    return {f"{what}: {step}": partial(kill, step=step) for step in steps}


def _around(*whats: str) -> list[str]:
    return [f"{when} {what}" for what in whats for when in ("before", "in", "after")]


CRASH_POINTS: dict[str, Kill] = {
    **_points(in_an_import, "import", *_around("the import", "the plan")),
    **_points(in_a_withdrawal, "STOP", *_around("the word", "the plan")),
    **_points(in_an_erasure, "erase", *_around("the erasure"), "before the scrub"),
    **_points(
        in_a_backup, "backup",
        "before the copy", COPYING, "after the copy", "before the new name", "after the new name",
    ),
    **_points(
        in_a_restore, "restore",
        "before the copy", COPYING, "after the copy", "before the keeping", "after the keeping",
        "before the new name", "after the new name",
    ),
    **_points(in_a_pruning, "prune", *_around("the entry"), "before the scrub"),
    **_points(
        in_an_encryption, "encrypt",
        "before the sealing of a table", "after the sealing of a table", "before the finish",
    ),
    STATEMENT: in_a_migration,
}  # fmt: skip
