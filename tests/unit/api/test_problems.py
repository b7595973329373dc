"""Every error has its HTTP answer, and the answer says what a client needs."""

import string
from collections.abc import Iterator

import orjson
import pytest

import api.app  # noqa: F401 - with the application every error class there is has been imported
from api.documentation import example_error
from api.errors import Forbidden, MethodNotAllowed, Unauthenticated
from api.problems import MEDIA_TYPE, TABLE, problem, problem_response, shape_of
from domain.errors import (
    FiscalError,
    IdempotencyKeyReused,
    IntegrityFault,
    InvalidField,
    NoOpenShift,
    NotFound,
    Refused,
    ShiftAlreadyOpen,
    StoreUnavailable,
    TooManyWaiting,
)


def _all_errors(root: type[FiscalError] = FiscalError) -> Iterator[type[FiscalError]]:
    yield root
    for child in root.__subclasses__():
        yield from _all_errors(child)


# Errors of parts that no endpoint reaches (key files) may be loaded by other tests of the process.
_ANSWERED = ("api.", "domain.")
ERRORS = sorted(
    {cls for cls in _all_errors() if cls.__module__.startswith(_ANSWERED)},
    key=lambda cls: cls.__qualname__,
)


@pytest.mark.parametrize("cls", ERRORS, ids=lambda cls: cls.__name__)
class TestEveryError:
    def test_it_has_a_row_of_its_own_in_the_table(self, cls: type[FiscalError]) -> None:
        assert cls in TABLE, f"api/problems.py does not say how {cls.__name__} is answered"

    def test_its_status_fits_its_meaning(self, cls: type[FiscalError]) -> None:
        status = shape_of(cls).status

        assert 400 <= status <= 599
        if cls.retryable:
            assert status in (409, 503), "what may be repeated is a conflict or not there now"
        if issubclass(cls, InvalidField):
            assert status == 422

    def test_its_problem_is_complete_and_in_whole_sentences(self, cls: type[FiscalError]) -> None:
        members = problem(example_error(cls))

        assert members["code"] == cls.code
        assert members["status"] == shape_of(cls).status
        assert members["next_step"].endswith((".", ")"))
        assert "{" not in members["detail"]
        assert set(members) >= {
            "type",
            "title",
            "status",
            "detail",
            "code",
            "field",
            "retryable",
            "next_step",
            "facts",
        }
        orjson.dumps(members)

    def test_its_code_is_kebab_case(self, cls: type[FiscalError]) -> None:
        assert set(cls.code) <= set(string.ascii_lowercase + "-")


def test_codes_of_different_errors_differ() -> None:
    codes = [cls.code for cls in ERRORS]

    assert sorted(codes) == sorted(set(codes))


@pytest.mark.parametrize(
    ("error", "status", "field"),
    [
        (
            InvalidField(field="lines.2.price_kopecks", expected="0 or more"),
            422,
            "lines.2.price_kopecks",
        ),
        (NoOpenShift(), 409, "register_id"),
        (ShiftAlreadyOpen(shift_number=12), 409, "register_id"),
        (NotFound(what="register", id="x"), 404, None),
        (IdempotencyKeyReused(), 409, "Idempotency-Key"),
        (StoreUnavailable(what="database", reason="it does not answer"), 503, None),
        (IntegrityFault(place="event 7", what="bytes differ"), 500, None),
        (Refused(server_code=9, name="x", text="y"), 502, None),
        (Unauthenticated(), 401, "Authorization"),
    ],
)
def test_status_and_field_are_those_of_the_table(
    error: FiscalError, status: int, field: str | None
) -> None:
    members = problem(error)

    assert (members["status"], members["field"]) == (status, field)


def test_response_is_problem_json_that_nobody_stores() -> None:
    response = problem_response(NoOpenShift(), instance="urn:fiscal-ledger:request:1")

    assert response.status_code == 409
    assert response.headers["Content-Type"] == MEDIA_TYPE
    assert response.headers["Cache-Control"] == "no-store"
    assert orjson.loads(response.body)["instance"] == "urn:fiscal-ledger:request:1"


def test_headers_that_statuses_ask_for_are_there() -> None:
    unauthenticated = problem_response(Unauthenticated())
    not_allowed = problem_response(MethodNotAllowed(allowed="GET, POST"))
    too_many = problem_response(TooManyWaiting(waiting=500, limit=500))
    forbidden = problem_response(Forbidden(role="auditor", right="sell"))

    assert unauthenticated.headers["WWW-Authenticate"].startswith("Bearer")
    assert not_allowed.headers["Allow"] == "GET, POST"
    assert too_many.headers["Retry-After"] == "5"
    assert "Retry-After" not in forbidden.headers


def test_tax_services_code_and_text_are_passed_on_as_received() -> None:
    members = problem(Refused(server_code=9, name="CheckInvalid", text="Документ з помилкою"))

    assert (members["server_code"], members["server_text"]) == (9, "Документ з помилкою")


def test_several_wrong_fields_are_all_listed() -> None:
    first = InvalidField(field="lines.0.price_kopecks", expected="0 or more")
    second = InvalidField(field="payments", expected="a list of at least 1")

    members = problem(first, others=[second])

    assert members["field"] == "lines.0.price_kopecks"
    assert [row["field"] for row in members["errors"]] == ["lines.0.price_kopecks", "payments"]
