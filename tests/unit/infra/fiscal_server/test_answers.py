"""Codes of the fiscal server, the forms they come in, and that the document for people tells the same."""

import re
from pathlib import Path

import pytest

from domain.errors import Refused
from infra.fiscal_server.answers import (
    ANSWERS,
    UNNAMED,
    Action,
    action_for,
    answer_of,
    refusal_in_json,
    refusal_in_text,
    refusal_of_status,
    refused,
)

WRONG_NUMBER = (
    "Некоректний локальний номер документа 503 для ПРРО з фіскальним номером 4000777001. "
    "Номер документа повинен дорівнювати 504"
)


class TestActions:
    @pytest.mark.parametrize(
        ("codes", "action"),
        [
            ((12,), Action.BACK_OFF),
            ((4, 8), Action.ADOPT),
            ((5, 6, 7), Action.RESYNC),
            ((1, 2, 3, 401, 403, 404, 405, 415), Action.PARK),
            ((9, 10, 11, 413, 416), Action.REFUSE_DOCUMENT),
            ((14, 99, 1000, UNNAMED), Action.REFUSE_DOCUMENT),
        ],
    )
    def test_action_is_what_the_design_asks_for(
        self, codes: tuple[int, ...], action: Action
    ) -> None:
        assert [action_for(code) for code in codes] == [action] * len(codes)

    def test_every_code_of_the_protocol_is_known(self, shared_folder: Path) -> None:
        text = (shared_folder / "reference" / "fiscal-server.md").read_text(encoding="utf-8")
        table = text.partition("### 7.1 Codes")[2].partition("### 7.2")[0]
        rows = re.findall(r"^\| (\d+) \| (\w+) \|", table, flags=re.MULTILINE)
        assert len(rows) == 14
        assert [(str(ANSWERS[int(code)].code), ANSWERS[int(code)].name) for code, _ in rows] == rows

    def test_document_for_people_has_the_same_table(self, root: Path) -> None:
        text = (root / "docs" / "answers.md").read_text(encoding="utf-8")
        rows = re.findall(
            r"^\| (\d+) \| `(\w+)` \| ([^|]+) \| `([\w-]+)`", text, flags=re.MULTILINE
        )
        assert rows == [
            (str(answer.code), answer.name, answer.meaning, answer.action.value)
            for answer in ANSWERS.values()
            if answer.code not in (0, 13)
        ]

    def test_unknown_code_has_a_name_of_its_own(self) -> None:
        assert answer_of(77).name == "Unknown"


class TestRefusalInText:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
    def test_code_name_and_text_are_found_in_either_encoding(self, encoding: str) -> None:
        body = f"Код помилки: 7 CheckLocalNumberInvalid\r\n{WRONG_NUMBER}".encode(encoding)
        assert facts(refusal_in_text(body)) == (7, "CheckLocalNumberInvalid", WRONG_NUMBER)

    def test_name_and_text_may_be_missing(self) -> None:
        found = refusal_in_text("Код помилки: 9".encode())
        assert facts(found) == (9, "DocumentValidationError", "")

    def test_unknown_code_keeps_the_name_it_came_with(self) -> None:
        found = refusal_in_text("Код помилки: 77 Novelty\nтекст".encode())
        assert facts(found) == (77, "Novelty", "текст")

    def test_text_of_several_lines_is_kept_whole(self) -> None:
        text = "Помилка обробки документа за № 0 в пакеті, дислокація 4:\r\nпричина"
        found = refusal_in_text(f"Код помилки: 10 PackageValidationError\r\n{text}".encode())
        assert facts(found) == (10, "PackageValidationError", text)

    @pytest.mark.parametrize("body", [b"", b"<html>502</html>", "Код помилки: 0 Ok".encode()])
    def test_other_text_is_no_refusal(self, body: bytes) -> None:
        assert refusal_in_text(body) is None

    def test_long_text_is_cut(self) -> None:
        found = refusal_in_text(f"Код помилки: 9 X\r\n{'я' * 10_000}".encode())
        assert found is not None
        assert found.text == "я" * 2_000


class TestRefusalInJson:
    @pytest.mark.parametrize("code", [None, 0, "0", "Ok", "OK", "", " ok "])
    def test_every_form_of_success_is_no_refusal(self, code: object) -> None:
        assert refusal_in_json({"ErrorCode": code, "ErrorMessage": "Ok"}) is None

    def test_missing_code_is_no_refusal(self) -> None:
        assert refusal_in_json({"UID": None}) is None

    @pytest.mark.parametrize("code", [7, "7", "CheckLocalNumberInvalid", "checklocalnumberinvalid"])
    def test_code_comes_as_number_text_or_name(self, code: object) -> None:
        found = refusal_in_json({"ErrorCode": code, "ErrorMessage": WRONG_NUMBER})
        assert found is not None
        assert (found.server_code, found.text) == (7, WRONG_NUMBER)

    def test_unknown_name_stays_visible(self) -> None:
        found = refusal_in_json({"ErrorCode": "Novelty", "ErrorMessage": None})
        assert facts(found) == (UNNAMED, "Novelty", "")


class TestRefusalOfStatus:
    @pytest.mark.parametrize("status", [401, 403, 404, 405, 413, 415, 416])
    def test_status_with_a_meaning_is_a_refusal(self, status: int) -> None:
        found = refusal_of_status(status, "Доступ заборонено".encode("cp1251"))
        assert facts(found) == (status, ANSWERS[status].name, "Доступ заборонено")

    @pytest.mark.parametrize("status", [0, 7, 200, 204, 400, 500, 503])
    def test_other_statuses_are_not(self, status: int) -> None:
        assert refusal_of_status(status, b"") is None


def facts(found: Refused | None) -> tuple[int, str, str] | None:
    return None if found is None else (found.server_code, found.name, found.text)


def test_refusal_without_a_name_gets_the_known_one() -> None:
    assert facts(refused(12, text=" збій ")) == (12, "CryptographyError", "збій")
