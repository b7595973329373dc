import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import Money, Quantity, Rate, round_half_up

kopecks = st.integers(-(10**12), 10**12)


class TestRounding:
    @pytest.mark.parametrize(
        ("numerator", "denominator", "expected"),
        [(5, 10, 1), (4, 10, 0), (15, 10, 2), (-5, 10, -1), (-4, 10, 0), (0, 7, 0)],
    )
    def test_halves_go_away_from_zero(
        self, numerator: int, denominator: int, expected: int
    ) -> None:
        assert round_half_up(numerator, denominator) == expected

    @pytest.mark.parametrize(
        ("amount", "expected"),
        [
            (1224, 1200),
            (1225, 1250),
            (1249, 1250),
            (1251, 1250),
            (1274, 1250),
            (1275, 1300),
            (1299, 1300),
        ],
    )
    def test_cash_goes_to_fifty_kopecks_as_the_national_bank_says(
        self, amount: int, expected: int
    ) -> None:
        assert Money(amount).rounded_to(Money(50)) == Money(expected)

    @given(kopecks, st.sampled_from([1, 10, 50]))
    def test_rounding_to_a_step_moves_by_half_a_step_at_most(self, amount: int, step: int) -> None:
        rounded = Money(amount).rounded_to(Money(step))
        assert rounded.kopecks % step == 0
        assert 2 * abs(rounded.kopecks - amount) <= step


class TestText:
    @pytest.mark.parametrize(
        ("amount", "text"), [(0, "0.00"), (5, "0.05"), (-18, "-0.18"), (123456, "1234.56")]
    )
    def test_money_is_written_with_two_digits(self, amount: int, text: str) -> None:
        assert str(Money(amount)) == text

    def test_quantity_is_written_with_three_digits(self) -> None:
        assert [str(Quantity(n)) for n in (1, 1500, -20)] == ["0.001", "1.500", "-0.020"]

    def test_rate_is_written_with_two_digits(self) -> None:
        assert [str(Rate(n)) for n in (0, 700, 2000, 1250)] == ["0.00", "7.00", "20.00", "12.50"]


class TestTaxContained:
    def test_worked_example_of_the_protocol_holds(self) -> None:
        assert Rate(500).contained_in(Money(35_000)) == Money(1667)
        assert Rate(2000).contained_in(Money(36_081)) == Money(6014)
        assert Rate(700).contained_in(Money(8520)) == Money(557)

    @given(st.integers(0, 10**10), st.sampled_from([0, 500, 700, 1400, 2000]))
    def test_tax_is_within_the_gross_amount(self, gross: int, rate: int) -> None:
        assert 0 <= Rate(rate).contained_in(Money(gross)).kopecks <= gross
