"""Whoever cannot get at a PostgreSQL database is told what to correct, or to try again."""

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from reminderd.engines.distributed.engine import Distributed
from reminderd.engines.distributed.migrating import migrate
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.engines.distributed.refusals import place, unreachable
from reminderd.errors import ConfigurationError, TryAgainLater
from tests.postgres import OWNER, Cluster
from tests.waiting import until

URL = "postgresql://care:a%20secret@db.example.org:6432/clinic"


def elsewhere(url: str, **other: str) -> str:
    return make_conninfo(**{**conninfo_to_dict(url), **other})


@pytest.mark.parametrize(
    "other", [{"dbname": "nothing"}, {"user": "nobody"}, {"host": "nowhere.invalid"}]
)
def test_what_has_to_be_corrected_is_named(postgresql: str, other: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(other.values()))) as told:
        migrate(elsewhere(postgresql, **other))
    assert "database.url" in str(told.value.remedy)


def test_an_empty_database_is_told_with_who_makes_it(cluster: Cluster) -> None:
    with pytest.raises(ConfigurationError, match="no database of reminderd here") as told:
        Distributed(cluster.empty()).roll()
    assert "reminderd run" in str(told.value.remedy)


def test_a_server_that_is_down_may_come_back(postgresql: str) -> None:
    with pytest.raises(TryAgainLater, match=r"database .* on 127\.0\.0\.1:1") as told:
        migrate(elsewhere(postgresql, host="127.0.0.1", port="1"))
    assert "running" in str(told.value.remedy)


@pytest.mark.parametrize(
    "said",
    [
        'FATAL:  password authentication failed for user "care"',
        'FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "care", database "clinic"',
        'FATAL:  database "clinic" does not exist',
        "fe_sendauth: no password supplied",
        "FATAL:  no such database: clinic",
        "server does not support SSL, but SSL was required",
    ],
)
def test_what_the_server_will_say_again_is_for_a_person(said: str) -> None:
    error = psycopg.OperationalError(f"connection failed: connection to server failed: {said}\n")
    told = unreachable(error, URL)
    assert isinstance(told, ConfigurationError)
    assert told.faults == (f"database clinic on db.example.org:6432 as care: {said}",)


@pytest.mark.parametrize(
    "said",
    [
        "FATAL:  the database system is starting up",
        "FATAL:  sorry, too many clients already",
        "timeout expired",
        "FATAL:  la base de datos se está iniciando",
        "FATAL:  server login has been failing, try again later (server_login_retry)",
    ],
)
def test_what_passes_is_tried_again(said: str) -> None:
    error = psycopg.OperationalError(f"connection failed: connection to server failed: {said}\n")
    told = unreachable(error, URL)
    assert isinstance(told, TryAgainLater)
    assert said in told.message


@pytest.mark.parametrize("url", [URL, "postgresql://care:a%20secret@", "host=db password=secret"])
def test_the_password_is_never_said(url: str) -> None:
    assert "secret" not in place(url)


def test_what_is_no_address_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError, match="not an address") as told:
        place("postgresql://care:secret@db:port:5/?nothing=1")
    assert "secret" not in f"{told.value} {told.value.remedy}"


def test_text_that_cannot_hold_every_name_is_refused(cluster: Cluster) -> None:
    cluster.execute(
        f"CREATE DATABASE in_latin OWNER {OWNER} TEMPLATE template0 "
        "ENCODING LATIN1 LOCALE_PROVIDER libc LOCALE 'C'"
    )
    with pytest.raises(ConfigurationError, match="LATIN1, not UTF8") as told:
        migrate(cluster.url("in_latin"))
    assert "createdb --encoding=UTF8" in str(told.value.remedy)


STOOD_STILL = "SET LOCAL idle_in_transaction_session_timeout = '1ms'"
BECAME_A_STANDBY = "SET LOCAL transaction_read_only = on"


@pytest.mark.parametrize("happens", [STOOD_STILL, BECAME_A_STANDBY])
def test_what_ends_a_unit_of_work_passes(postgresql: str, happens: str) -> None:
    outbox = DistributedOutbox(postgresql)
    try:
        with pytest.raises(TryAgainLater):
            _note_after(outbox, happens)
        with outbox.beside():
            outbox.set_note("before", "and after")
    finally:
        outbox.close_all()


def _note_after(outbox: DistributedOutbox, happens: str) -> None:
    with outbox.beside():
        ((mine,),) = outbox.rows("SELECT pg_backend_pid()")
        outbox.rows(happens)
        if happens is STOOD_STILL:
            _wait_for_the_end(outbox, mine)
        outbox.set_note("before", "now")


def test_whoever_does_not_hear_that_it_is_stored_is_to_look(postgresql: str) -> None:
    outbox = DistributedOutbox(postgresql)
    try:
        with pytest.raises(TryAgainLater, match="perhaps all of it is stored") as told:
            _note_before(outbox, STOOD_STILL)
    finally:
        outbox.close_all()
    assert "look whether it is there" in str(told.value.remedy)


def _note_before(outbox: DistributedOutbox, happens: str) -> None:
    with outbox.transaction():
        ((mine,),) = outbox.rows("SELECT pg_backend_pid()")
        outbox.set_note("before", "now")
        outbox.rows(happens)
        _wait_for_the_end(outbox, mine)


def _wait_for_the_end(outbox: DistributedOutbox, backend: int) -> None:
    with psycopg.connect(outbox.url, autocommit=True) as other:
        look = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
        until(lambda: not other.execute(look, (backend,)).fetchall(), "its end")
