"""Commands on a real database without `fiscal up`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from psycopg import sql
from typer.testing import CliRunner, Result

from domain.clock import SystemClock
from domain.identifiers import shard_of
from domain.ledger import FiscalLedger
from infra.cli.main import app
from infra.event_store.lanes import PostgresLanes
from infra.event_store.store import PostgresStore
from infra.postgres import APPLICATION_ROLE, Connection, application_dsn, connect
from infra.tokens import Role, find_token, token_hash
from tests.support.cheap_signer import CheapSigner
from tests.support.lane_player import LanePlayer
from tests.support.shop import COMPANY, sale

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, postgres_dsn: str) -> Run:
    """Run a command on the database of this test."""
    return runner(tmp_path, postgres_dsn)


def runner(data_dir: Path, dsn: str) -> Run:
    environment = {"FISCAL_DATABASE_DSN": dsn, "FISCAL_DATA_DIR": str(data_dir)}

    def run(*arguments: str, answer: str | None = None) -> Result:
        return CliRunner().invoke(app, arguments, env=environment, input=answer)

    return run


@pytest.fixture
def owner(postgres_dsn: str) -> Iterator[Connection]:
    with connect(postgres_dsn, name="owner") as connection:
        yield connection


@dataclass(frozen=True, slots=True)
class Books:
    """A register that sold two receipts, all registered."""

    register_id: UUID
    player: LanePlayer

    def park(self) -> None:
        """Sell once more, and have the lane stopped over it."""
        self.player.ledger.sell(register_id=self.register_id, request=sale())
        self.player.park(self.register_id, reason="register-not-registered")


@pytest.fixture
def books(postgres_dsn: str) -> Iterator[Books]:
    store = PostgresStore(application_dsn(postgres_dsn))
    signer = CheapSigner()
    ledger = FiscalLedger(store=store, signer=signer, clock=SystemClock())
    company_id = ledger.register_company(**COMPANY)
    unit_id = ledger.register_business_unit(company_id=company_id, name="Калина", address=None)
    cashier_id = ledger.enrol_cashier(company_id=company_id, name="Приклад О. П.", key_id="olena")
    register_id = ledger.add_register(
        business_unit_id=unit_id,
        fiscal_number="4000777001",
        local_number=1,
        name="Каса",
        live=False,
    )
    player = LanePlayer(store, PostgresLanes(store), signer)
    ledger.open_shift(register_id=register_id, cashier_id=cashier_id)
    for _ in range(2):
        ledger.sell(register_id=register_id, request=sale())
    player.run(register_id)
    try:
        yield Books(register_id, player)
    finally:
        store.close()


def flip_a_byte(owner: Connection, *, table: str, column: str, where: str) -> None:
    """Change one byte behind everyone's back: as superuser, with the triggers off."""
    names = {"table": sql.Identifier(table), "column": sql.Identifier(column)}
    with owner.transaction():
        owner.execute(sql.SQL("ALTER TABLE {table} DISABLE TRIGGER USER").format(**names))
        changed = owner.execute(
            sql.SQL(
                "UPDATE {table} SET {column} = set_byte({column}, 12, get_byte({column}, 12) # 1)"
                " WHERE " + where
            ).format(**names)
        )
        assert changed.rowcount == 1
        owner.execute(
            sql.SQL("ALTER TABLE {table} ENABLE ALWAYS TRIGGER {trigger}").format(
                **names, trigger=sql.Identifier(f"{table.partition('_')[0]}_are_final")
            )
        )


class TestMigrate:
    def test_empty_database_gets_all_tables(self, tmp_path: Path, empty_postgres_dsn: str) -> None:
        run = runner(tmp_path, empty_postgres_dsn)
        before = run("migrate", "--check")
        migrated = run("migrate")
        after = run("migrate", "--check")

        assert (before.exit_code, migrated.exit_code, after.exit_code) == (1, 0, 0)
        assert "Missing: 0001_roles" in before.stderr
        assert "applied 0001_roles" in migrated.stdout

    def test_missing_database_is_named_with_the_next_step(self, tmp_path: Path) -> None:
        result = CliRunner().invoke(
            app, ["migrate", "--check"], env={"FISCAL_DATA_DIR": str(tmp_path / "none")}
        )

        assert result.exit_code == 1
        assert "There is no database in" in result.stderr
        assert "`fiscal up` makes one" in result.stderr


class TestVerify:
    def test_intact_database_is_green(self, run: Run, books: Books) -> None:
        result = run("verify")

        assert result.exit_code == 0, result.output
        assert "✓ intact" in result.stdout

    def test_changed_event_is_named(self, run: Run, books: Books, owner: Connection) -> None:
        flip_a_byte(
            owner,
            table="events",
            column="state",
            where=f"stream_id = '{books.register_id}' AND version = 4",
        )

        result = run("verify")

        assert result.exit_code == 1
        place = f"stream {books.register_id} version 4, shard {shard_of(books.register_id)}"
        assert place in result.stdout
        assert "1 broken" in result.stdout

    def test_changed_document_is_named(self, run: Run, books: Books, owner: Connection) -> None:
        found = owner.execute(
            "SELECT tableoid::regclass::text, document_id FROM documents WHERE kind = 'ticket'"
            " ORDER BY 2 LIMIT 1"
        ).fetchone()
        assert found is not None
        table, document_id = found
        flip_a_byte(
            owner,
            table=table,
            column="content",
            where=f"document_id = '{document_id}' AND kind = 'ticket'",
        )

        result = run("verify")

        assert result.exit_code == 1
        assert f"ticket document {document_id}" in result.stdout


class TestTokens:
    def test_token_is_printed_alone_and_works_until_it_is_revoked(
        self, run: Run, owner: Connection
    ) -> None:
        made = run("tokens", "create", "каса 1", "--role", "cashier")
        token = made.stdout.strip()
        row = find_token(owner, token_hash(token))
        assert row is not None
        listed = run("tokens", "list")
        revoked = run("tokens", "revoke", str(row.token_id))

        assert (made.exit_code, revoked.exit_code) == (0, 0)
        assert (row.name, row.role) == ("каса 1", Role.CASHIER)
        assert str(row.token_id) in listed.stdout
        assert token not in listed.stdout
        assert find_token(owner, token_hash(token)) is None
        assert "каса 1" not in run("tokens", "list").stdout
        assert "каса 1" in run("tokens", "list", "--revoked").stdout

    def test_second_valid_token_of_a_name_is_refused(self, run: Run) -> None:
        run("tokens", "create", "каса 1", "--role", "cashier")
        again = run("tokens", "create", "каса 1", "--role", "cashier")

        assert again.exit_code == 1
        assert again.stdout == ""
        assert "already" in again.stderr

    def test_unknown_token_cannot_be_revoked(self, run: Run) -> None:
        assert run("tokens", "revoke", str(UUID(int=1))).exit_code == 1


class TestLanes:
    def test_nothing_to_show_is_said(self, run: Run, books: Books) -> None:
        assert "All 1 lanes are idle" in run("lanes", "list").stdout

    def test_parked_lane_is_listed_and_resumed_by_fiscal_number(
        self, run: Run, books: Books
    ) -> None:
        books.park()
        listed = run("lanes", "list")
        resumed = run("lanes", "resume", "4000777001", "--reason", "зареєстровано")

        assert "register-not-registered" in listed.stdout
        assert str(books.register_id) in listed.stdout
        assert resumed.exit_code == 0, resumed.output
        assert "parked" not in run("lanes", "list", "--all").stdout

    def test_lane_that_is_not_parked_cannot_be_resumed(self, run: Run, books: Books) -> None:
        result = run("lanes", "resume", str(books.register_id), "--reason", "спроба")

        assert result.exit_code == 1
        assert result.stderr.startswith("✗")

    def test_nonsense_is_no_register(self, run: Run) -> None:
        result = run("lanes", "resume", "каса", "--reason", "спроба")

        assert "neither an id nor a fiscal number" in result.stderr


class TestDoctor:
    def test_stopped_deployment_fails_with_next_steps(self, run: Run, books: Books) -> None:
        result = run("doctor")

        assert result.exit_code == 1
        assert "`fiscal up` or `fiscal signer` starts it" in result.stdout
        assert "nobody is administrator" in result.stdout
        assert "all applied" in result.stdout

    def test_switched_off_protection_fails(self, run: Run, books: Books, owner: Connection) -> None:
        owner.execute("ALTER TABLE events DISABLE TRIGGER events_are_final")

        assert "nothing keeps events from being changed" in run("doctor").stdout

    def test_parked_lane_fails(self, run: Run, books: Books) -> None:
        books.park()

        assert "parked: register-not-registered" in run("doctor").stdout


class TestBackup:
    def test_restored_database_is_what_was_backed_up(
        self, run: Run, books: Books, tmp_path: Path, owner: Connection, empty_postgres_dsn: str
    ) -> None:
        file = tmp_path / "backup"
        made = run("backup", str(file))
        restored = runner(tmp_path, empty_postgres_dsn)("restore", str(file))

        assert made.exit_code == 0, made.output
        assert restored.exit_code == 0, restored.output
        with connect(empty_postgres_dsn, name="owner") as other:
            for query in (
                (
                    "SELECT stream_id, version, chain FROM events"
                    " WHERE topic <> 'register.state-needed' ORDER BY 1, 2"
                ),
                "SELECT document_id, kind, sha256 FROM documents ORDER BY 1, 2",
                "SELECT name FROM migrations ORDER BY 1",
                (
                    "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger"
                    " WHERE NOT tgisinternal ORDER BY 1, 2"
                ),
            ):
                assert other.execute(query).fetchall() == owner.execute(query).fetchall()
            assert other.execute(
                "SELECT has_table_privilege(%s, 'projections.structure_registers', 'UPDATE')",
                [APPLICATION_ROLE],
            ).fetchone() == (True,)

    def test_lanes_are_free_of_the_leases_of_their_time(
        self, run: Run, books: Books, tmp_path: Path, owner: Connection, empty_postgres_dsn: str
    ) -> None:
        owner.execute(
            "UPDATE lanes SET owner = 'gone', lease_until = now() + interval '1 hour', epoch = 7"
        )
        run("backup", str(tmp_path / "backup"))
        restored = runner(tmp_path, empty_postgres_dsn)("restore", str(tmp_path / "backup"))

        assert restored.exit_code == 0, restored.output
        with connect(empty_postgres_dsn, name="owner") as other:
            lanes = other.execute(
                "SELECT epoch, owner, lease_until, due_at <= now() FROM lanes"
            ).fetchall()
        assert lanes == [(8, None, None, True)]

    def test_database_with_events_is_replaced_only_when_asked_and_confirmed(
        self, tmp_path: Path, books: Books, postgres_dsn: str, owner: Connection
    ) -> None:
        run = runner(tmp_path, postgres_dsn)
        file = str(tmp_path / "backup")
        run("backup", file)
        count = "SELECT count(*) FROM events"
        before = owner.execute(count).fetchone()
        connected = run("restore", file)
        books.player.ledger.store.close()  # type: ignore[attr-defined]
        refused = run("restore", file)
        declined = run("restore", file, "--replace", answer="n\n")
        after = owner.execute(count).fetchone()
        replaced = run("restore", file, "--replace", "--yes")

        assert "A part of the program is connected" in connected.stderr
        assert "which a restore would replace" in refused.stderr
        assert (refused.exit_code, declined.exit_code, replaced.exit_code) == (1, 1, 0)
        assert before == after

    def test_backup_that_was_cut_short_changes_nothing(
        self, run: Run, books: Books, tmp_path: Path, empty_postgres_dsn: str
    ) -> None:
        file = tmp_path / "backup"
        run("backup", str(file))
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) * 3 // 4])
        restored = runner(tmp_path, empty_postgres_dsn)("restore", str(file))

        assert restored.exit_code == 1
        with connect(empty_postgres_dsn, name="owner") as other:
            assert other.execute("SELECT to_regclass('events')").fetchone() == (None,)

    def test_other_files_and_other_peoples_databases_are_refused(
        self, tmp_path: Path, books: Books, run: Run, empty_postgres_dsn: str
    ) -> None:
        text = tmp_path / "text"
        text.write_text("не копія")
        foreign = runner(tmp_path, empty_postgres_dsn)
        no_backup = foreign("restore", str(text))
        with connect(empty_postgres_dsn, name="owner") as other:
            other.execute("CREATE TABLE recipes (name text)")
        run("backup", str(tmp_path / "backup"))
        not_ours = foreign("restore", str(tmp_path / "backup"))

        assert "pg_restore failed" in no_backup.stderr
        assert "belongs to another program: it has a table recipes" in not_ours.stderr

    def test_file_that_is_there_is_not_overwritten(
        self, run: Run, books: Books, tmp_path: Path
    ) -> None:
        file = tmp_path / "backup"
        file.write_text("важливе")

        assert run("backup", str(file)).exit_code == 1
        assert file.read_text() == "важливе"
        assert run("backup", str(file), "--overwrite").exit_code == 0
        assert file.stat().st_mode & 0o077 == 0
