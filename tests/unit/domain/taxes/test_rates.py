"""Rates as dated law, letters as a company's own, and a shift that keeps the meaning it began with."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.errors import InvalidField, UnknownTaxLetter
from domain.money import Money, Rate
from domain.taxes.rates import (
    EXCISE,
    LEGAL_RATES,
    STANDARD_GROUPS,
    VAT,
    LegalRate,
    TaxGroup,
    checked_groups,
    groups_in_force,
)
from tests.support.shop import Shop, sale

TODAY = date(2026, 11, 5)
DAY = timedelta(days=1)
EXEMPT = TaxGroup("Ж", VAT, "Без ПДВ", Rate(0))
FOURTEEN = TaxGroup("Д", VAT, "ПДВ", Rate(1400))


def rates_until(end: date, *, rate: Rate = FOURTEEN.rate) -> tuple[LegalRate, ...]:
    """The law as if one rate ended on a day."""
    return tuple(replace(row, until=end) if row.rate == rate else row for row in LEGAL_RATES)


class TestLaw:
    @pytest.mark.parametrize("row", LEGAL_RATES, ids=lambda row: f"{row.kind}-{row.rate}")
    def test_rate_holds_from_its_first_day_on(self, row: LegalRate) -> None:
        assert not row.in_force(row.since - DAY)
        assert row.in_force(row.since)
        assert row.in_force(TODAY)
        assert row.source

    def test_rate_ends_the_day_before_the_law_does(self) -> None:
        row = replace(LEGAL_RATES[0], until=TODAY)
        assert row.in_force(TODAY - DAY)
        assert not row.in_force(TODAY)

    def test_law_knows_every_rate_of_a_receipt(self) -> None:
        assert {(row.kind, row.rate.basis_points) for row in LEGAL_RATES} == {
            (VAT, 2000),
            (VAT, 1400),
            (VAT, 700),
            (VAT, 0),
            (EXCISE, 500),
        }


class TestLetters:
    def test_groups_come_back_by_letter(self) -> None:
        groups = checked_groups((EXEMPT, *STANDARD_GROUPS), on=TODAY, pays_vat=True)
        assert "".join(group.letter for group in groups) == "АБВГДЖ"

    def test_new_rate_is_law_from_its_day_on(self) -> None:
        new = TaxGroup("Е", VAT, "ПДВ", Rate(2200))
        rates = (*LEGAL_RATES, LegalRate(VAT, new.rate, TODAY, None, "example"))
        with pytest.raises(InvalidField):
            checked_groups((new,), on=TODAY - DAY, pays_vat=True, rates=rates)
        assert checked_groups((new,), on=TODAY, pays_vat=True, rates=rates) == (new,)

    def test_ended_rate_can_no_longer_be_set(self) -> None:
        rates = rates_until(TODAY)
        assert checked_groups((FOURTEEN,), on=TODAY - DAY, pays_vat=True, rates=rates)
        with pytest.raises(InvalidField) as refused:
            checked_groups((FOURTEEN,), on=TODAY, pays_vat=True, rates=rates)
        assert refused.value.field == "tax_groups.0.rate_basis_points"

    def test_seller_without_vat_may_have_excise_and_exempt_letters(self) -> None:
        """The official Z-report «Податки» has turnover under the letter of the excise alone."""
        excise = TaxGroup("Г", EXCISE, "Акциз", Rate(500))
        assert checked_groups((excise, EXEMPT), on=TODAY, pays_vat=False) == (excise, EXEMPT)

    @pytest.mark.parametrize(
        ("group", "pays_vat", "field"),
        [
            (TaxGroup("A", VAT, "ПДВ", Rate(2000)), True, "letter"),
            (TaxGroup("а", VAT, "ПДВ", Rate(2000)), True, "letter"),
            (TaxGroup("Б", VAT, "ПДВ", Rate(700)), True, "letter"),
            (TaxGroup("А", VAT, "ПДВ", Rate(1900)), True, "rate_basis_points"),
            (TaxGroup("А", EXCISE, "Акциз", Rate(2000)), True, "rate_basis_points"),
            (TaxGroup("А", VAT, "ПДВ", Rate(2000)), False, "rate_basis_points"),
            (TaxGroup("А", VAT, " ", Rate(2000)), True, "name"),
            (TaxGroup("А", VAT, "ПДВ ☕", Rate(2000)), True, "name"),
        ],
    )
    def test_bad_group_names_its_field(self, group: TaxGroup, pays_vat: bool, field: str) -> None:
        first = TaxGroup("Б", VAT, "Без ПДВ", Rate(0))
        with pytest.raises(InvalidField) as refused:
            checked_groups((first, group), on=TODAY, pays_vat=pays_vat)
        assert refused.value.field == f"tax_groups.1.{field}"

    def test_what_is_law_no_longer_is_left_out_of_a_new_shift(self) -> None:
        rates = rates_until(TODAY)
        assert FOURTEEN in groups_in_force(
            STANDARD_GROUPS, on=TODAY - DAY, pays_vat=True, rates=rates
        )
        left = groups_in_force(STANDARD_GROUPS, on=TODAY, pays_vat=True, rates=rates)
        assert "".join(group.letter for group in left) == "АБВГ"

    def test_seller_who_left_vat_keeps_what_takes_none(self) -> None:
        left = groups_in_force(STANDARD_GROUPS, on=TODAY, pays_vat=False)
        assert "".join(group.letter for group in left) == "ВГ"


class TestShift:
    @pytest.fixture
    def shop(self) -> Shop:
        shop = Shop()
        shop.ledger.open_shift(register_id=shop.register_id, cashier_id=shop.cashier_id)
        return shop

    def test_letter_keeps_its_meaning_inside_a_shift(self, shop: Shop) -> None:
        seven = TaxGroup("А", VAT, "ПДВ", Rate(700))
        shop.ledger.set_tax_groups(shop.company_id, (seven,))

        issued = shop.ledger.sell(register_id=shop.register_id, request=sale(1200))

        assert issued.receipt is not None
        assert [(row.rate, row.tax) for row in issued.receipt.taxes] == [(Rate(2000), Money(200))]

    def test_next_shift_takes_the_new_meaning(self, shop: Shop) -> None:
        seven = TaxGroup("А", VAT, "ПДВ", Rate(700))
        shop.ledger.set_tax_groups(shop.company_id, (seven,))
        other = shop.add_register("4000777002", local_number=8)
        shop.ledger.open_shift(register_id=other, cashier_id=shop.cashier_id)

        issued = shop.ledger.sell(register_id=other, request=sale(10_700))

        assert issued.receipt is not None
        assert [(row.rate, row.tax) for row in issued.receipt.taxes] == [(Rate(700), Money(700))]

    def test_letter_of_vat_is_refused_once_the_company_left_it(self, shop: Shop) -> None:
        shop.ledger.rename_company(shop.company_id, name='ТОВ "Калина-Приклад"', vat=None)
        other = shop.add_register("4000777002", local_number=8)
        shop.ledger.open_shift(register_id=other, cashier_id=shop.cashier_id)

        with pytest.raises(UnknownTaxLetter) as refused:
            shop.ledger.sell(register_id=other, request=sale(letters="А"))

        assert refused.value.known == "ВГ"
        still = shop.ledger.sell(register_id=shop.register_id, request=sale(letters="А"))
        assert still.receipt is not None
