import pytest

from infra.simulator.answers import Code, Refusal

NAMES = [
    "Ok",
    "TransactionsRegistrarAbsent",
    "OperatorAccessToTransactionsRegistrarNotGranted",
    "InvalidTin",
    "ShiftAlreadyOpened",
    "ShiftNotOpened",
    "LastDocumentMustBeZRep",
    "CheckLocalNumberInvalid",
    "ZRepAlreadyRegistered",
    "DocumentValidationError",
    "PackageValidationError",
    "InvalidQueryParameter",
    "CryptographyError",
    "NoContent",
]


def test_codes_have_the_names_of_the_protocol() -> None:
    assert [(int(code), code.symbol) for code in Code] == list(enumerate(NAMES))


def test_plain_form_is_two_lines() -> None:
    refusal = Refusal(Code.LOCAL_NUMBER_INVALID, "Опис")

    assert refusal.as_text() == "Код помилки: 7 CheckLocalNumberInvalid\r\nОпис"


@pytest.mark.parametrize(
    ("code", "status"),
    [(Code.REGISTER_ABSENT, 404), (Code.ACCESS_NOT_GRANTED, 401), (Code.INVALID_TIN, 400)],
)
def test_status_follows_the_code_or_is_always_400(code: Code, status: int) -> None:
    refusal = Refusal(code, "")

    assert refusal.status("by-code") == status
    assert refusal.status("always-400") == 400
