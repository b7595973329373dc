"""What the tax service answers when it refuses: its codes, their names and the known texts.

The texts are those real servers were seen to send, where one is known; the others are ours, in the
same manner, and nothing in a client may depend on them.
"""

from datetime import datetime
from enum import IntEnum

from infra.simulator.switches import RefusalStatus


class Code(IntEnum):
    """Answer codes of the protocol; ``symbol`` is the name that stands in the text."""

    OK = 0
    REGISTER_ABSENT = 1
    ACCESS_NOT_GRANTED = 2
    INVALID_TIN = 3
    SHIFT_ALREADY_OPENED = 4
    SHIFT_NOT_OPENED = 5
    LAST_DOCUMENT_MUST_BE_Z_REPORT = 6
    LOCAL_NUMBER_INVALID = 7
    Z_REPORT_ALREADY_REGISTERED = 8
    DOCUMENT_VALIDATION_ERROR = 9
    PACKAGE_VALIDATION_ERROR = 10
    INVALID_QUERY_PARAMETER = 11
    CRYPTOGRAPHY_ERROR = 12
    NO_CONTENT = 13

    @property
    def symbol(self) -> str:
        """The name the protocol gives this code, such as ``CheckLocalNumberInvalid``."""
        return _SYMBOLS[self]


_SYMBOLS = {
    Code.OK: "Ok",
    Code.REGISTER_ABSENT: "TransactionsRegistrarAbsent",
    Code.ACCESS_NOT_GRANTED: "OperatorAccessToTransactionsRegistrarNotGranted",
    Code.INVALID_TIN: "InvalidTin",
    Code.SHIFT_ALREADY_OPENED: "ShiftAlreadyOpened",
    Code.SHIFT_NOT_OPENED: "ShiftNotOpened",
    Code.LAST_DOCUMENT_MUST_BE_Z_REPORT: "LastDocumentMustBeZRep",
    Code.LOCAL_NUMBER_INVALID: "CheckLocalNumberInvalid",
    Code.Z_REPORT_ALREADY_REGISTERED: "ZRepAlreadyRegistered",
    Code.DOCUMENT_VALIDATION_ERROR: "DocumentValidationError",
    Code.PACKAGE_VALIDATION_ERROR: "PackageValidationError",
    Code.INVALID_QUERY_PARAMETER: "InvalidQueryParameter",
    Code.CRYPTOGRAPHY_ERROR: "CryptographyError",
    Code.NO_CONTENT: "NoContent",
}

_STATUS_BY_CODE = {Code.REGISTER_ABSENT: 404, Code.ACCESS_NOT_GRANTED: 401}


class Refusal(Exception):
    """The request is refused with one of the protocol's codes and a text for people."""

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(f"{int(code)} {code.symbol}: {text}")
        self.code = code
        self.text = text

    def as_text(self) -> str:
        """The plain form: ``Код помилки: N Name``, CRLF, the description."""
        return f"Код помилки: {int(self.code)} {self.code.symbol}\r\n{self.text}"

    def status(self, manner: RefusalStatus) -> int:
        """HTTP status of the plain form."""
        return 400 if manner == "always-400" else _STATUS_BY_CODE.get(self.code, 400)


class PackageRefusal(Refusal):
    """A package is refused because of one of its documents: HTTP 400 whatever the code."""

    def status(self, manner: RefusalStatus) -> int:
        """HTTP status of the plain form."""
        return 400


class TransportRefusal(Exception):
    """The request is refused before the protocol's own codes apply: wrong type, size or address."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


def invalid(reason: str) -> Refusal:
    """A refusal with code 9, the document or its signature is invalid."""
    return Refusal(Code.DOCUMENT_VALIDATION_ERROR, reason)


def must_be_signed(envelope_type: str = "EtUnknown") -> Refusal:
    """The message carries no usable qualified signature."""
    return invalid(
        "Повідомлення повинно бути засвідчене кваліфікованим електронним підписом: "
        f"envelopeType: {envelope_type}"
    )


def schema_violation(reason: str) -> Refusal:
    """The XML breaks the schema."""
    return invalid(f"Помилки валідації XML: Error: {reason}")


def register_absent(register: str) -> Refusal:
    """The register is not in the registry."""
    return Refusal(Code.REGISTER_ABSENT, f"ПРРО з фіскальним номером {register} не зареєстрований")


def access_not_granted(*, register: str, key_id: str) -> Refusal:
    """The signing key has no right to the register."""
    return Refusal(
        Code.ACCESS_NOT_GRANTED,
        f"Доступ до ПРРО з фіскальним номером {register} не надано, "
        f"ідентифікатор ключа суб'єкта {key_id}",
    )


def invalid_tin(*, sent: str, register: str) -> Refusal:
    """TIN is not the code of the unit the register belongs to."""
    return Refusal(
        Code.INVALID_TIN,
        f"Податковий номер {sent} не відповідає ПРРО з фіскальним номером {register}",
    )


def differs_from_registration(*, element: str, sent: str | None, registered: str | None) -> Refusal:
    """A name, an address or a number differs from the registration data."""
    return invalid(
        f"Значення елемента {element} «{sent or ''}» не відповідає реєстраційних даних "
        f"«{registered or ''}»"
    )


def wrong_local_number(*, sent: int, register: str, expected: int) -> Refusal:
    """ORDERNUM is not the expected one; the text ends in the expected number."""
    return Refusal(
        Code.LOCAL_NUMBER_INVALID,
        f"Некоректний локальний номер документа {sent} для ПРРО з фіскальним номером {register}. "
        f"Номер документа повинен дорівнювати {expected}",
    )


def shift_held(*, code: Code, register: str, name: str, key_id: str) -> Refusal:
    """The shift is open; the text names the person and the key that hold it."""
    return Refusal(
        code,
        f"Зміну для ПРРО з фіскальним номером {register} наразі відкрито особою {name}, "
        f"ідентифікатор ключа суб'єкта {key_id}",
    )


def shift_not_opened(register: str) -> Refusal:
    """There is no open shift."""
    return Refusal(
        Code.SHIFT_NOT_OPENED, f"Зміну для ПРРО з фіскальним номером {register} не відкрито"
    )


def last_must_be_z_report(register: str) -> Refusal:
    """The shift cannot be closed: the last document is not a Z-report."""
    return Refusal(
        Code.LAST_DOCUMENT_MUST_BE_Z_REPORT,
        f"Останнім документом зміни ПРРО з фіскальним номером {register} повинен бути Z-звіт",
    )


def z_report_present(*, register: str, fiscal_number: str | None) -> Refusal:
    """The shift has its Z-report already."""
    return Refusal(
        Code.Z_REPORT_ALREADY_REGISTERED,
        f"Z-звіт для поточної зміни ПРРО з фіскальним номером {register} вже зареєстровано, "
        f"фіскальний номер {fiscal_number or ''}".rstrip(),
    )


def wrong_time(issued_at: datetime) -> Refusal:
    """The document's time is too far from the server's clock."""
    return invalid(
        f"Документ містить час {issued_at:%d.%m.%Y %H:%M:%S}, що не відповідає поточному часу "
        "фіскального сервера"
    )


def time_went_back(local_number: int, *, code: Code) -> Refusal:
    """The document is older than the one before it."""
    return Refusal(
        code,
        f"Дата і час операції, зафіксованої документом {local_number}, не може бути меншим часу "
        "попереднього документа",
    )


def storno_of_last_only() -> Refusal:
    """A storno names another document than the register's last one."""
    return invalid("Сторнуватись може лише останній документ")


def offline_not_allowed(register: str) -> Refusal:
    """The register was not registered for work offline."""
    return Refusal(
        Code.PACKAGE_VALIDATION_ERROR,
        f"Режим офлайн для ПРРО з фіскальним номером {register} не дозволено",
    )


def session_is_open(register: str) -> Refusal:
    """An online document came while the register's offline session is open."""
    return invalid(
        f"Офлайн сесію ПРРО з фіскальним номером {register} не завершено, "
        "документи онлайн не приймаються"
    )


def not_revocable(*, fiscal_number: str, type_name: str) -> Refusal:
    """The last online document is of a kind that is never revoked."""
    return Refusal(
        Code.PACKAGE_VALIDATION_ERROR,
        f"Останній документ поточної зміни (фіскальний номер {fiscal_number}) "
        f"має тип '{type_name}' і не може бути відкликаний",
    )


def nothing_to_revoke(register: str) -> Refusal:
    """There is no online document to revoke."""
    return Refusal(
        Code.PACKAGE_VALIDATION_ERROR,
        f"Для ПРРО з фіскальним номером {register} відсутній документ онлайн для відкликання",
    )


def bad_parameter(name: str, reason: str) -> Refusal:
    """A command's parameter is missing or wrong."""
    return Refusal(Code.INVALID_QUERY_PARAMETER, f"Некоректний параметр запиту {name}: {reason}")


WRONG_CONTENT_TYPE = (
    "Очікується значення 'Content-Type' рівне 'application/octet-stream' або "
    "'application/json; charset=UTF-8'"
)
