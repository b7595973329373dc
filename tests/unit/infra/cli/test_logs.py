"""The logs of all parts, short and together."""

import json
import os
from pathlib import Path

import pytest

from infra.cli import logs
from infra.cli.logs import LogTail, last_lines, short


class TestShort:
    def test_json_line_becomes_event_and_facts(self) -> None:
        line = json.dumps(
            {
                "part": "worker",
                "level": "warning",
                "timestamp": "2026-11-05T08:15:04Z",
                "event": "refused",
                "server_code": 9,
            }
        )

        text, style = short("worker", line)

        assert text.endswith("worker    refused server_code=9")
        assert style == "yellow"

    def test_exception_is_told_by_its_last_line(self) -> None:
        line = json.dumps({"event": "lane failed", "exception": "Traceback\n  …\nKeyError: 'a'"})

        assert short("worker", line)[0].endswith("lane failed (KeyError: 'a')")

    @pytest.mark.parametrize("line", ["Address already in use", "[1, 2]", '"text"', "{"])
    def test_other_lines_are_shown_as_they_are(self, line: str) -> None:
        assert short("api", line) == (f"{'':8} api       {line}", None)

    def test_very_long_line_is_cut(self) -> None:
        assert len(short("api", json.dumps({"event": "x" * 5_000}))[0]) == 400


class TestLogTail:
    @pytest.fixture
    def log(self, tmp_path: Path) -> Path:
        return tmp_path / "api.log"

    @staticmethod
    def _tail(log: Path) -> tuple[LogTail, list[tuple[str, str]]]:
        heard: list[tuple[str, str]] = []
        return LogTail({"api": log}, lambda part, line: heard.append((part, line))), heard

    def test_only_new_and_complete_lines_are_heard(self, log: Path) -> None:
        log.write_text("before\n")
        tail, heard = self._tail(log)
        with log.open("a") as file:
            file.write("one\ntwo\nhal")
        tail.look()
        with log.open("a") as file:
            file.write("f\n")
        tail.look()

        assert heard == [("api", "one"), ("api", "two"), ("api", "half")]

    def test_log_that_appears_later_is_heard_from_its_beginning(self, log: Path) -> None:
        tail, heard = self._tail(log)
        tail.look()
        log.write_text("first\n")
        tail.look()

        assert heard == [("api", "first")]

    def test_large_log_is_put_aside_while_its_part_goes_on_writing(
        self, log: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(logs, "LARGEST_LOG_BYTES", 100)
        tail, heard = self._tail(log)
        part = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(part, b"x" * 200 + b"\n")
        tail.look()
        os.write(part, b"next\n")
        os.close(part)
        tail.look()

        assert log.read_bytes() == b"next\n"
        assert log.with_name("api.log.1").read_bytes() == b"x" * 200 + b"\n"
        assert heard[-1] == ("api", "next")


class TestLastLines:
    def test_last_lines_come_in_order(self, tmp_path: Path) -> None:
        log = tmp_path / "api.log"
        log.write_text("1\n2\n3\n")

        assert last_lines(log, count=2) == ["2", "3"]

    def test_absent_log_has_none(self, tmp_path: Path) -> None:
        assert last_lines(tmp_path / "none.log", count=2) == []
