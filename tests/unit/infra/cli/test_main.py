"""The command line itself: help, wrong settings, problems in words."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import typer.main
from typer.testing import CliRunner

from domain.errors import StoreUnavailable
from infra.cli.console import Problem, load_settings, problem_of
from infra.cli.main import app
from infra.embedded_postgres import EmbeddedPostgresError

COMMANDS = [
    *("up", "doctor", "migrate", "verify", "backup", "restore"),
    *("api", "worker", "projector"),
    *("projections list", "projections rebuild", "lanes list", "lanes resume", "keys list"),
    *("tokens create", "tokens list", "tokens revoke"),
]


class TestHelp:
    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_explains_itself(self, command: str) -> None:
        result = CliRunner().invoke(app, [*command.split(), "--help"])

        assert result.exit_code == 0
        assert f"Usage: root {command}" in " ".join(result.stdout.split())

    def test_no_command_is_missing_here(self) -> None:
        group = typer.main.get_group(app)
        found = set()
        for name, command in group.commands.items():
            below = getattr(command, "commands", None)
            found |= {name} if below is None else {f"{name} {each}" for each in below}

        assert found == {*COMMANDS, "signer", "simulator"}

    @pytest.mark.parametrize("part", ["signer", "simulator"])
    def test_part_with_options_explains_them_itself(self, part: str, root: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "infra.cli", part, "--help"],
            capture_output=True,
            text=True,
            cwd=root,
            env={"PYTHONPATH": str(root)},
            check=False,
        )

        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith("usage: ")


class TestProblems:
    def test_impossible_setting_is_named_without_its_value(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FISCAL_API_PORT", "таємниця")

        with pytest.raises(Problem, match="FISCAL_API_PORT: ") as caught:
            load_settings()

        assert "таємниця" not in str(caught.value)

    def test_command_ends_with_one_sentence_and_status_1(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("FISCAL_API_PORT", "-1")

        result = CliRunner().invoke(app, ["migrate"])

        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("✗ FISCAL_API_PORT: ")
        assert "→ See docs/settings.md." in result.stderr

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            (StoreUnavailable(what="store", reason="gone"), "store is not available: gone."),
            (psycopg.OperationalError("refused"), "The database does not answer: refused"),
            (psycopg.errors.UndefinedTable("lanes"), "The database lacks tables."),
            (EmbeddedPostgresError("no room"), "no room"),
        ],
    )
    def test_foreseen_errors_become_sentences(self, error: Exception, sentence: str) -> None:
        problem = problem_of(error)

        assert problem is not None
        assert str(problem) == sentence

    def test_fault_of_the_program_is_not_hidden(self) -> None:
        assert problem_of(KeyError("bug")) is None
