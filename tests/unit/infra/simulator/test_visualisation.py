import pytest

from infra.simulator.visualisation import visualised
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import Office


def text_of_last(office: Office) -> str:
    last = office.simulator.book.documents[-1]
    return visualised(last)


def test_receipt_reads_as_the_service_prints_it(opened: Office) -> None:
    parts = {
        "CHECKTOTAL": {
            "SUM": "95.00",
            "RNDSUM": "0.20",
            "NORNDSUM": "95.20",
            "DISCOUNTSUM": "4.80",
        },
        "CHECKPAY": [make.payment(9500)],
        "CHECKTAX": [make.vat(9520)],
        "CHECKBODY": [make.line(5000, amount="2.000", DISCOUNTTYPE=0, DISCOUNTSUM="4.80")],
    }
    opened.accept(make.check(2, opened.local, parts, subtype=0))

    assert text_of_last(opened) == (
        'ТОВ "Смерека-Проба"\n'
        'Крамниця "Смерека"\n'
        "УКРАЇНА, М. ТЕРНОПІЛЬ, вул. Пробна, 3\n"
        "ІД 99900022\n"
        "ПН 999000220018\n"
        "Касовий чек\n"
        "ПРРО ФН 4000888001 ВН 4\n"
        "ЧЕК ФН 3600000102 ВН 2 онлайн\n"
        "Касир Смерека О. О.\n"
        "АРТ.№ 77 Мед гречаний\n"
        "2.000 x 50.00 = 100.00 А\n"
        "Дисконт: 4.80\n"
        "ДИСКОНТ: 4.80\n"
        "СУМА ДО СПЛАТИ: 95.00\n"
        "ЗАОКРУГЛЕННЯ: 0.20\n"
        "ГОТІВКА: 95.00\n"
        "ПДВ А 20.00%: 15.87\n"
        "05.11.2026 09:01:00\n"
        "ФІСКАЛЬНИЙ ЧЕК\n"
        "ФСКО ЄВПЕЗ\n"
        "Державна податкова служба України (симулятор)\n"
    )


def test_test_document_says_so(office: Office) -> None:
    office.open(TESTING="true")

    assert "ТЕСТОВИЙ НЕФІСКАЛЬНИЙ ДОКУМЕНТ" in text_of_last(office)
    assert "ФІСКАЛЬНИЙ ЧЕК" not in text_of_last(office)


def test_z_report_shows_its_parts(opened: Office) -> None:
    number = opened.sell(5000)["ORDERTAXNUM"]
    opened.accept(make.sale_return(3, opened.local, original=number, kopecks=2000))
    parts = {
        "ZREPREALIZ": make.orders(5000, 1),
        "ZREPRETURN": make.orders(2000, 1),
        "ZREPBODY": {"SERVICEINPUT": "0.00"},
    }
    opened.accept(make.z_report(4, opened.local, parts))

    text = text_of_last(opened)

    assert "Реалізація: чеків 1, сума 50.00" in text
    assert "Повернення: чеків 1, сума 20.00" in text
    assert "Внесення: 0.00" in text
    assert "ФІСКАЛЬНИЙ Z-ЗВІТ" in text


@pytest.mark.parametrize("subtype", [1, 5])
def test_return_and_storno_name_the_other_document(opened: Office, subtype: int) -> None:
    number = opened.sell()["ORDERTAXNUM"]
    build = make.sale_return(3, opened.local, original=number)
    opened.accept(build if subtype == 1 else make.storno(3, opened.local, target=number))

    expected = "Повернення для документу №" if subtype == 1 else "Сторнується документ №"
    assert f"{expected} {number}" in text_of_last(opened)


def test_line_of_a_withdrawal_has_no_price(opened: Office) -> None:
    opened.accept(make.withdrawal(2, opened.local, 50_000))

    assert "АРТ.№ 1 Видача готівки\n500.00\n" in text_of_last(opened)
