"""Who holds a data folder, and what others learn of it."""

from pathlib import Path

import pytest

from infra.cli import standing
from infra.cli.console import Problem
from infra.cli.standing import Standing
from infra.settings import Settings

STANDING = Standing(
    pid=17,
    api_url="http://127.0.0.1:8080",
    simulator_url="http://127.0.0.1:8609",
    parts={"api": 18},
)


class TestHeld:
    def test_folder_is_made_for_its_owner_only(self, tmp_path: Path) -> None:
        with standing.held(tmp_path / "data"):
            assert (tmp_path / "data").stat().st_mode & 0o077 == 0

    def test_second_holder_is_refused_with_the_first_ones_address(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(standing, "_PATIENCE_SECONDS", 0.0)
        with standing.held(tmp_path):
            standing.write(tmp_path, STANDING)
            with (
                pytest.raises(Problem, match=r"already runs in .*process 17, http://127"),
                standing.held(tmp_path),
            ):
                raise AssertionError("held twice")

    def test_folder_is_free_again_afterwards(self, tmp_path: Path) -> None:
        with standing.held(tmp_path):
            standing.write(tmp_path, STANDING)

        assert standing.read(tmp_path) is None
        with standing.held(tmp_path):
            assert not (tmp_path / "up.json").exists()

    def test_folder_that_cannot_be_made_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()

        with (
            pytest.raises(Problem, match=r"file/data cannot be used"),
            standing.held(tmp_path / "file" / "data"),
        ):
            raise AssertionError("held")


class TestRead:
    def test_what_was_written_is_read_while_held(self, tmp_path: Path) -> None:
        with standing.held(tmp_path):
            assert standing.read(tmp_path) is None
            standing.write(tmp_path, STANDING)
            assert standing.read(tmp_path) == STANDING

    def test_what_a_killed_one_left_is_not_believed(self, tmp_path: Path) -> None:
        standing.write(tmp_path, STANDING)
        (tmp_path / "up.lock").touch()

        assert standing.read(tmp_path) is None

    def test_absent_folder_has_none(self, tmp_path: Path) -> None:
        assert standing.read(tmp_path / "absent") is None


class TestSettingsOfRunning:
    def test_simulator_of_the_running_one_is_used(self, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path, simulator_url=None)
        with standing.held(tmp_path):
            standing.write(tmp_path, STANDING)
            changed = standing.settings_of_running(settings)

        assert changed.simulator_url == STANDING.simulator_url
        assert standing.settings_of_running(settings) is settings

    def test_simulator_that_is_set_stays(self, tmp_path: Path) -> None:
        settings = Settings(data_dir=tmp_path, simulator_url="http://127.0.0.1:1")
        with standing.held(tmp_path):
            standing.write(tmp_path, STANDING)

            assert standing.settings_of_running(settings) is settings


class TestDemo:
    def test_mark_stays(self, tmp_path: Path) -> None:
        assert not standing.is_demo(tmp_path)
        standing.mark_demo(tmp_path)
        standing.mark_demo(tmp_path)
        assert standing.is_demo(tmp_path)
