"""Documents of another device, made up or given."""

import pytest

from infra.simulator.answers import Code, Refusal
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import Office


def test_given_document_is_registered_unjudged(opened: Office) -> None:
    xml = make.sale(2, opened.local, 12_345, ORGNM="Хтозна-хто")

    stored = opened.simulator.register_foreign(make.REGISTER, xml=xml)

    assert (stored.local_number, stored.figures.total) == (2, 12_345)
    assert opened.simulator.book.find_document(stored.fiscal_number) is stored
    opened.sell()


def test_made_up_document_can_be_fetched_and_read(opened: Office) -> None:
    stored = opened.simulator.register_foreign(make.REGISTER)

    answer = opened.asked(
        "CheckExt",
        RegistrarNumFiscal=make.REGISTER,
        NumFiscal=stored.fiscal_number,
        Type=1,
    )

    assert answer["ResultCode"] == 0


def test_made_up_document_of_a_test_shift_is_a_test_document(office: Office) -> None:
    office.open(TESTING="true")

    assert office.simulator.register_foreign(make.REGISTER).document.is_testing


def test_made_up_document_is_not_older_than_the_last_one(opened: Office) -> None:
    ahead = opened.local.replace(minute=9)
    opened.accept(make.sale(2, ahead))

    assert opened.simulator.register_foreign(make.REGISTER).issued_at == ahead


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (lambda at: make.open_shift(2, at), Code.SHIFT_ALREADY_OPENED),
        (lambda at: make.sale(2, at, VER="x"), Code.DOCUMENT_VALIDATION_ERROR),
        (lambda at: make.sale(2, at, CASHREGISTERNUM="4000999999"), Code.REGISTER_ABSENT),
    ],
)
def test_document_that_does_not_fit_is_refused(opened: Office, xml: object, code: Code) -> None:
    assert callable(xml)
    with pytest.raises(Refusal) as caught:
        opened.simulator.register_foreign(make.REGISTER, xml=xml(opened.local))

    assert caught.value.code is code


def test_receipt_needs_a_shift(office: Office) -> None:
    with pytest.raises(Refusal) as caught:
        office.simulator.register_foreign(make.REGISTER, xml=make.sale(1, office.local))

    assert caught.value.code is Code.SHIFT_NOT_OPENED


def test_unknown_register_is_refused(office: Office) -> None:
    with pytest.raises(Refusal) as caught:
        office.simulator.register_foreign("4000999999")

    assert caught.value.code is Code.REGISTER_ABSENT
