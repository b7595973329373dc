"""What is recorded stays: changes are refused, and what was changed by force is found and named."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from domain.clock import SystemClock
from domain.identifiers import shard_of
from domain.ledger import AdoptedDocument, FiscalLedger
from domain.ports import StoredKind
from domain.register.aggregate import Register
from domain.register.state import RegisterSettings
from infra.event_store import verify as verification
from infra.event_store.lanes import PostgresLanes
from infra.event_store.store import PostgresStore
from infra.event_store.verify import Break, verify
from infra.postgres import Connection, application_dsn, connect
from tests.support.cheap_signer import CheapSigner
from tests.support.lane_player import LanePlayer
from tests.support.shop import sale

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Books:
    """A database with a shift of two registers; `registers` have sold two receipts each, all registered."""

    dsn: str
    registers: tuple[UUID, ...]


@pytest.fixture(scope="module")
def filled(module_postgres_dsn: str) -> Books:
    store = PostgresStore(application_dsn(module_postgres_dsn))
    signer = CheapSigner()
    ledger = FiscalLedger(store=store, signer=signer, clock=SystemClock())
    company_id = ledger.register_company(
        code="99900011", vat="999000110019", name='ТОВ "Калина-Приклад"'
    )
    unit_id = ledger.register_business_unit(company_id=company_id, name="Калина", address=None)
    cashier_id = ledger.enrol_cashier(company_id=company_id, name="Приклад О. П.", key_id="olena")
    lanes = PostgresLanes(store)
    player = LanePlayer(store, lanes, signer)
    registers = []
    for number in (1, 2):
        register_id = ledger.add_register(
            business_unit_id=unit_id,
            fiscal_number=f"400077700{number}",
            local_number=number,
            name="Каса",
            live=False,
            settings=RegisterSettings(),
        )
        ledger.open_shift(register_id=register_id, cashier_id=cashier_id)
        for _ in range(2):
            ledger.sell(register_id=register_id, request=sale())
        player.run(register_id)
        adopt(ledger, lanes, register_id)
        registers.append(register_id)
    store.close()
    return Books(module_postgres_dsn, tuple(registers))


def adopt(ledger: FiscalLedger, lanes: PostgresLanes, register_id: UUID) -> None:
    """Take over one document that only the tax service has."""
    register = ledger.store.read(Register, register_id, shard=shard_of(register_id))
    now = ledger.clock.now()
    ledger.sell(register_id=register_id, request=sale())
    lease = lanes.claim(register_id, owner="test", now=now + timedelta(minutes=1), seconds=60)
    assert lease is not None
    ledger.withdraw(lease, reason="stale", disagreement=True)
    document_id = uuid4()
    found = AdoptedDocument(
        local_number=register.next_local_number or 1,
        fiscal_number="TS-1",
        uid=str(document_id),
        document_id=document_id,
        at=now,
        server_kind="SaleGoods/Other",
        in_open_shift=True,
        document=None,
        xml=b"<CHECK>of another program</CHECK>",
    )
    ledger.adopt(lease, [found], key_id="olena")
    lanes.finish(lease, due_at=None, reason=None, failures=0)


@pytest.fixture
def books(filled: Books, postgres_server: str) -> Iterator[Books]:
    """A copy for one test, which may do what it likes with it."""
    name = f"books_{next(_numbers)}"
    source = psycopg.conninfo.conninfo_to_dict(filled.dsn)["dbname"]
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(str(source))
            )
        )
        yield Books(make_conninfo(filled.dsn, dbname=name), filled.registers)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def owner(books: Books) -> Iterator[Connection]:
    with connect(books.dsn, name="owner") as connection:
        yield connection


@pytest.fixture
def application(books: Books) -> Iterator[Connection]:
    with connect(application_dsn(books.dsn), name="application") as connection:
        yield connection


def force(owner: Connection, statement: str, *values: Any) -> None:
    """Change what nothing may change, as somebody with the superuser's rights would."""
    triggers = owner.execute(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgname LIKE '%are_final'"
    ).fetchall()
    for table, trigger in triggers:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}".encode())
    assert owner.execute(statement.encode(), values).rowcount == 1
    for table, trigger in triggers:
        owner.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}".encode())


def the_break(connection: Connection) -> Break:
    found = verify(connection)
    assert len(found) == 1, found
    return found[0]


class TestVerify:
    def test_untouched_books_hold(self, application: Connection) -> None:
        assert verify(application) == []

    def test_an_empty_database_holds(self, postgres_dsn: str) -> None:
        with connect(postgres_dsn, name="empty") as connection:
            assert verify(connection) == []

    def test_progress_ends_with_everything_looked_at(self, application: Connection) -> None:
        told: list[tuple[str, int, int]] = []
        verify(application, lambda *progress: told.append(progress))
        events = application.execute("SELECT count(*) FROM events").fetchone()
        documents = application.execute("SELECT count(*) FROM documents").fetchone()
        assert events is not None
        assert documents is not None
        # Three documents of each register with stamp and ticket, one withdrawn, one adopted.
        assert documents[0] == 2 * (3 * 3 + 1 + 1)
        assert told[0] == ("events", 0, events[0])
        assert told[-2:] == [
            ("events", events[0], events[0]),
            ("documents", documents[0], documents[0]),
        ]

    @pytest.mark.parametrize("version", [1, 4])
    def test_one_changed_byte_of_an_event_is_named(
        self, books: Books, owner: Connection, version: int
    ) -> None:
        register_id = books.registers[0]
        force(
            owner,
            "UPDATE events SET state = set_byte(state, 9, get_byte(state, 9) # 1)"
            " WHERE stream_id = %s AND version = %s",
            register_id,
            version,
        )
        found = the_break(owner)
        assert (found.shard, found.stream_id, found.version) == (
            shard_of(register_id),
            register_id,
            version,
        )
        assert found.position is not None
        assert str(found).startswith(f"stream {register_id} version {version}, shard")

    @pytest.mark.parametrize("column", ["chain", "topic"])
    def test_a_changed_chain_or_topic_is_named(
        self, books: Books, owner: Connection, column: str
    ) -> None:
        change = {
            "chain": "chain = set_byte(chain, 31, get_byte(chain, 31) # 128)",
            "topic": "topic = topic || 'x'",
        }[column]
        force(
            owner,
            f"UPDATE events SET {change} WHERE stream_id = %s AND version = 3",
            books.registers[1],
        )
        found = the_break(owner)
        assert (found.stream_id, found.version) == (books.registers[1], 3)

    def test_an_event_taken_out_is_named_by_its_stream_and_its_position(
        self, books: Books, owner: Connection
    ) -> None:
        place = owner.execute(
            "SELECT position FROM events WHERE stream_id = %s AND version = 5", [books.registers[0]]
        ).fetchone()
        assert place is not None
        force(
            owner,
            "DELETE FROM events WHERE stream_id = %s AND version = 5",
            books.registers[0],
        )
        gap, broken = verify(owner)
        assert (gap.what, gap.position) == ("an event is missing", place[0])
        assert (broken.what, broken.version) == ("version 5 is missing", 6)

    def test_the_last_event_taken_out_is_found_by_the_head(
        self, books: Books, owner: Connection
    ) -> None:
        shard = shard_of(books.registers[0])
        force(
            owner,
            "DELETE FROM events WHERE shard = %s AND position ="
            " (SELECT position FROM heads WHERE shard = %s)",
            shard,
            shard,
        )
        found = the_break(owner)
        assert found.what.startswith("the head says")
        assert found.shard == shard

    def test_two_streams_that_changed_places_are_both_named(
        self, books: Books, owner: Connection
    ) -> None:
        one, other = books.registers
        for here, there in ((one, UUID(int=1)), (other, one), (UUID(int=1), other)):
            force(
                owner,
                "UPDATE events SET stream_id = %s WHERE stream_id = %s AND version = 1",
                there,
                here,
            )
        assert {found.stream_id for found in verify(owner) if found.version == 1} >= {one, other}

    @pytest.mark.parametrize("kind", list(StoredKind))
    def test_one_changed_byte_of_a_document_is_named(
        self, books: Books, owner: Connection, kind: StoredKind
    ) -> None:
        changed = owner.execute(
            "SELECT document_id, month FROM documents WHERE kind = %s ORDER BY 1 LIMIT 1",
            [kind.value],
        ).fetchone()
        assert changed is not None
        force(
            owner,
            "UPDATE documents SET content = set_byte(content, length(content) - 3, 7)"
            " WHERE document_id = %s AND kind = %s",
            changed[0],
            kind.value,
        )
        found = the_break(owner)
        assert (found.document_id, found.kind) == (changed[0], kind.value)
        assert str(found).startswith(f"{kind.value} document {changed[0]}, shard")

    def test_bytes_exchanged_with_their_hash_are_found_by_the_event(
        self, books: Books, owner: Connection
    ) -> None:
        force(
            owner,
            "UPDATE documents d SET content = o.content, sha256 = o.sha256 FROM documents o"
            " WHERE o.document_id = (SELECT min(document_id::text)::uuid FROM documents"
            " WHERE kind = 'signed')"
            " AND d.document_id = (SELECT max(document_id::text)::uuid FROM documents"
            " WHERE kind = 'signed')"
            " AND d.kind = 'signed' AND o.kind = 'signed'",
        )
        found = the_break(owner)
        assert (found.what, found.kind) == ("the event names other bytes", "signed")
        assert found.stream_id in books.registers

    @pytest.mark.parametrize("kind", list(StoredKind))
    def test_a_missing_document_is_found_by_the_event(
        self, books: Books, owner: Connection, kind: StoredKind
    ) -> None:
        force(
            owner,
            "DELETE FROM documents WHERE kind = %s AND document_id ="
            " (SELECT min(document_id::text)::uuid FROM documents WHERE kind = %s)",
            kind.value,
            kind.value,
        )
        found = the_break(owner)
        assert (found.what, found.kind) == (
            "the event names it, but it is missing",
            kind.value,
        )

    def test_every_break_is_named_not_only_the_first(self, books: Books, owner: Connection) -> None:
        for register_id in books.registers:
            for version in (3, 6):
                force(
                    owner,
                    "UPDATE events SET state = state || '\\x20' WHERE stream_id = %s AND version = %s",
                    register_id,
                    version,
                )
        assert {(found.stream_id, found.version) for found in verify(owner)} == {
            (register_id, 3) for register_id in books.registers
        }

    def test_pages_of_rows_do_not_change_what_is_found(
        self, books: Books, owner: Connection, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        force(
            owner,
            "DELETE FROM documents WHERE kind = 'ticket' AND document_id ="
            " (SELECT max(document_id::text)::uuid FROM documents WHERE kind = 'ticket')",
        )
        whole = verify(owner)
        monkeypatch.setattr(verification, "_ROWS_AT_ONCE", 2)
        monkeypatch.setattr(verification, "_HASHES_AT_ONCE", 2)
        assert verify(owner) == whole
        assert len(whole) == 1


FINAL_TABLES = ("events", "documents")


class TestFinalTables:
    """Events and documents only grow, whoever asks."""

    STATEMENTS = (
        "UPDATE {} SET shard = shard",
        "UPDATE {} SET shard = shard WHERE false",
        "DELETE FROM {}",
        "DELETE FROM {} WHERE false",
        "TRUNCATE {}",
        "TRUNCATE {} CASCADE",
    )

    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_the_owner_is_refused(self, owner: Connection, statement: str) -> None:
        for table in (*FINAL_TABLES, *self.partitions(owner)):
            with pytest.raises(errors.RestrictViolation, match="append-only"):
                owner.execute(statement.format(table).encode())

    @pytest.mark.parametrize("statement", STATEMENTS)
    def test_the_application_is_refused(self, application: Connection, statement: str) -> None:
        for table in (*FINAL_TABLES, *self.partitions(application)):
            with pytest.raises(errors.InsufficientPrivilege):
                application.execute(statement.format(table).encode())

    def test_a_replication_role_does_not_pass_either(self, owner: Connection) -> None:
        owner.execute("SET session_replication_role = replica")
        with pytest.raises(errors.RestrictViolation):
            owner.execute("DELETE FROM events")

    def test_an_upsert_is_a_change(self, owner: Connection) -> None:
        with pytest.raises(errors.RestrictViolation):
            owner.execute(
                "INSERT INTO events SELECT * FROM events LIMIT 1"
                " ON CONFLICT (shard, position) DO UPDATE SET topic = 'x'"
            )

    def test_the_owner_may_drop_a_month_after_the_legal_term(self, owner: Connection) -> None:
        month = self.partitions(owner)[0]
        owner.execute(f"DROP TABLE {month}".encode())
        assert owner.execute("SELECT count(*) FROM documents").fetchone() == (0,)

    @staticmethod
    def partitions(connection: Connection) -> list[str]:
        rows = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'documents'::regclass"
        )
        partitions = [row[0] for row in rows]
        assert partitions
        return partitions


class TestApplicationRole:
    RIGHTS = {  # noqa: RUF012
        "commands": {"SELECT", "INSERT"},
        "documents": {"SELECT", "INSERT"},
        "events": {"SELECT", "INSERT"},
        "heads": {"SELECT", "UPDATE"},
        "lanes": {"SELECT", "INSERT", "UPDATE"},
        "migrations": {"SELECT"},
        "snapshots": {"SELECT", "INSERT", "UPDATE"},
        "tracking": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    }

    def test_has_no_more_rights_on_the_log_than_it_needs(self, owner: Connection) -> None:
        rows = owner.execute(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee IN ('fiscal_app', 'PUBLIC') AND table_schema = 'public'"
        ).fetchall()
        given: dict[str, set[str]] = {}
        for table, privilege in rows:
            given.setdefault(table, set()).add(privilege)
        assert {table: given.get(table, set()) for table in self.RIGHTS} == self.RIGHTS
        assert not [table for table in given if table.startswith("documents_")]

    def test_is_no_superuser_and_makes_nothing(
        self, owner: Connection, application: Connection
    ) -> None:
        role = owner.execute(
            "SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls"
            " FROM pg_roles WHERE rolname = 'fiscal_app'"
        ).fetchone()
        assert role == (False,) * 5
        for statement in ("CREATE TABLE mine (n int)", "CREATE SCHEMA mine"):
            with pytest.raises(errors.InsufficientPrivilege):
                application.execute(statement.encode())

    def test_cannot_switch_the_triggers_off(self, application: Connection) -> None:
        for statement in (
            "ALTER TABLE events DISABLE TRIGGER ALL",
            "SET session_replication_role = replica",
        ):
            with pytest.raises(errors.InsufficientPrivilege):
                application.execute(statement.encode())

    def test_makes_months_of_documents_through_the_owners_function(
        self, application: Connection
    ) -> None:
        def ensure(month: str) -> Any:
            return application.execute("SELECT ensure_documents_partition(%s)", [month]).fetchone()

        assert ensure("2031-05-17") == (True,)
        assert ensure("2031-05-01") == (False,)


class TestDatabaseFunctions:
    """The library's own functions lose events for readers; whoever asks for them is stopped at the start."""

    @pytest.mark.parametrize("value", ["y", "1", "true", "ON"])
    def test_they_are_refused(
        self, app_dsn: str, monkeypatch: pytest.MonkeyPatch, value: str
    ) -> None:
        monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", value)
        with pytest.raises(RuntimeError, match="POSTGRES_ENABLE_DB_FUNCTIONS"):
            PostgresStore(app_dsn)

    def test_switched_off_they_do_not_matter(
        self, app_dsn: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "n")
        PostgresStore(app_dsn).close()
