"""The life of an offline session at the tax service: revocation, roll-back, limits, blocked registers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from infra.simulator.faults import Fault, FaultKind
from infra.simulator.journal import FileJournal
from infra.simulator.switches import Switches
from tests.unit.infra.simulator import documents as make
from tests.unit.infra.simulator.office import (
    Office,
    company,
    new_simulator,
)
from tests.unit.infra.simulator.offline import OfflineTill

OfficeWith = Callable[..., Office]


def numbers(office: Office) -> list[int]:
    book = office.simulator.book.find(make.REGISTER)
    assert book is not None
    return [each.local_number for each in book.documents]


def revoked(office: Office, local_number: int) -> bool:
    answer = office.asked("DocumentInfoByLocalNum", NumFiscal=make.REGISTER, NumLocal=local_number)
    return bool(answer["Revoked"])


def sold(office: Office) -> Any:
    return office.asked("LastShiftTotals", NumFiscal=make.REGISTER)["Totals"]["Real"]


class TestRevocation:
    def test_last_online_receipt_is_revoked(self, opened: Office) -> None:
        opened.sell(2500)
        OfflineTill(opened).begin(REVOKELASTONLINEDOC="true").sell(5000).deliver()

        assert revoked(opened, 2) is True
        assert sold(opened)["Sum"] == 50.0

    def test_false_revokes_nothing(self, opened: Office) -> None:
        opened.sell(2500)
        OfflineTill(opened).begin(REVOKELASTONLINEDOC="false").deliver()

        assert revoked(opened, 2) is False

    def test_opening_is_never_revoked(self, opened: Office) -> None:
        book = opened.simulator.book.find(make.REGISTER)
        assert book is not None

        text = OfflineTill(opened).begin(REVOKELASTONLINEDOC="true").refused()

        number = book.documents[0].fiscal_number
        assert text.startswith("Код помилки: 10 PackageValidationError\r\n")
        assert text.endswith(
            f"Останній документ поточної зміни (фіскальний номер {number}) "
            "має тип 'OpenShift' і не може бути відкликаний"
        )

    def test_nothing_to_revoke_is_refused_or_ignored(self) -> None:
        strict = Office()
        lenient = Office(switches=Switches(revoke_nothing="ignore"))

        assert "відсутній" in OfflineTill(strict).begin(REVOKELASTONLINEDOC="true").refused()
        assert OfflineTill(lenient).begin(REVOKELASTONLINEDOC="true").deliver() == b"OK"

    def test_revoked_storno_leaves_its_receipt(self, opened: Office) -> None:
        number = opened.sell(2500)["ORDERTAXNUM"]
        opened.accept(make.storno(3, opened.local, target=number))
        OfflineTill(opened).begin(REVOKELASTONLINEDOC="true").deliver()

        assert sold(opened)["Sum"] == 25.0


class TestTrap:
    def test_gamble_on_the_next_number_is_code_7(self, opened: Office) -> None:
        text = OfflineTill(opened, start=3).begin().refused()

        assert text.startswith("Код помилки: 7 CheckLocalNumberInvalid\r\nПомилка обробки ")
        assert "за № 0 в пакеті, дислокація 4:" in text

    @pytest.mark.parametrize(("stale", "status"), [("refuse", 400), ("accept", 200)])
    def test_lost_document_is_delivered_late(
        self, office_with: OfficeWith, stale: str, status: int
    ) -> None:
        office = office_with(stale_documents=stale)
        lost = make.sale(2, office.local, 2500)
        office.clock.forward(minutes=1)
        till = OfflineTill(office, start=3).begin(REVOKELASTONLINEDOC="true").sell(2500)
        office.clock.forward(hours=2)

        assert office.send(lost).status == status
        assert till.post().status == status


class TestRollback:
    def named(self, office: Office, till: OfflineTill) -> Any:
        return office.asked(
            "TransactionsRegistrarState",
            NumFiscal=make.REGISTER,
            OfflineSessionId=till.session_id,
            OfflineSeed=till.seed,
        )

    def test_open_session_named_changes_nothing(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell()
        till.deliver()

        state = self.named(opened, till)

        assert (state["OfflineSessionRolledBack"], state["OfflineNextLocalNum"]) == (False, 3)

    @pytest.mark.parametrize(("switch", "following"), [("end", 3), ("package", 1)])
    def test_end_is_taken_back(self, office_with: OfficeWith, switch: str, following: int) -> None:
        office = office_with(session_rollback=switch)
        till = OfflineTill(office).begin().sell().end()
        again = list(till.packed)
        till.deliver()

        state = self.named(office, till)

        assert state["OfflineSessionId"] == till.session_id
        assert state["OfflineNextLocalNum"] == following
        assert (state["OfflineSessionRolledBack"], state["OfflineSessionRollbackCmdUID"]) == (
            True,
            "u-1",
        )
        till.packed = again[following - 1 :]
        orjson.loads(till.deliver())
        assert numbers(office) == [1, 2, 3, 4]

    def test_rollback_may_be_off(self, office_with: OfficeWith) -> None:
        office = office_with(session_rollback="off")
        till = OfflineTill(office).begin().sell().end()
        till.deliver()

        assert self.named(office, till)["OfflineSessionId"] != till.session_id

    def test_nothing_is_taken_back_once_the_register_went_on(self, opened: Office) -> None:
        till = OfflineTill(opened).begin().sell().end()
        till.deliver()
        opened.sell()

        assert self.named(opened, till)["OfflineSessionRolledBack"] is False
        assert numbers(opened) == [1, 2, 3, 4, 5]

    def test_restart_remembers_what_was_taken_back_and_blocked(
        self, tmp_path: Path, opened: Office
    ) -> None:
        path = tmp_path / "book.jsonl"
        opened.simulator = new_simulator(opened.clock, journal=FileJournal(path))
        opened.simulator.set_up(company())
        opened.open()
        till = OfflineTill(opened).begin().sell()
        last_sale = till.previous
        till.end().deliver()
        before = self.named(opened, till)
        opened.simulator.block_register(make.REGISTER)
        opened.simulator.close()

        opened.simulator = new_simulator(opened.clock, journal=FileJournal(path))

        assert {**opened.state(), "Timestamp": None} == {**before, "Timestamp": None}
        online = opened.refused(make.sale(4, opened.local))
        till.position, till.next_local, till.previous = 2, 4, last_sale
        packed = till.end().refused()
        opened.simulator.close()
        assert "не завершено" in online
        assert "заблоковано" in packed


class TestLimits:
    def test_minutes_are_counted_to_the_last_receipt(self, opened: Office) -> None:
        till = OfflineTill(opened).begin()
        opened.clock.forward(minutes=59)
        till.sell()
        opened.clock.forward(minutes=10)
        till.end().deliver()

        state = opened.state()
        assert state["OfflineSessionDuration"] == 0
        assert state["OfflineSessionsMonthlyDuration"] == 60

    def test_tax_offices_count_to_the_end(self, office_with: OfficeWith) -> None:
        office = office_with(offline_counted_to="end")
        till = OfflineTill(office).begin().sell()
        office.clock.forward(minutes=8)
        till.end().deliver()

        assert office.state()["OfflineSessionsMonthlyDuration"] == 10

    def test_receipt_after_36_hours_is_refused(self, opened: Office) -> None:
        till = OfflineTill(opened).begin()
        opened.clock.forward(hours=36)

        assert "тривалість офлайн сесії" in till.sell().refused()

    def test_receipt_at_36_hours_is_taken_and_the_end_later(self, opened: Office) -> None:
        till = OfflineTill(opened).begin()
        opened.clock.forward(hours=36, minutes=-1)
        till.sell()
        opened.clock.forward(hours=9)

        orjson.loads(till.end().deliver())

    def test_month_is_limited(self, office_with: OfficeWith) -> None:
        office = office_with(offline_month_minutes=30)
        first = OfflineTill(office).begin()
        office.clock.forward(minutes=19)
        first.sell().end().deliver()
        second = OfflineTill(office).begin()
        office.clock.forward(minutes=10)

        assert "протягом місяця" in second.sell().refused()

    def test_limits_may_be_off(self, office_with: OfficeWith) -> None:
        office = office_with(offline_limits="off")
        till = OfflineTill(office).begin()
        office.clock.forward(hours=50)

        assert till.sell().deliver() == b"OK"

    def test_register_may_be_blocked_until_the_month_ends(self, office_with: OfficeWith) -> None:
        office = office_with(
            offline_limits="block", blocked_code=2, blocked_text="{register} зупинено"
        )
        till = OfflineTill(office).begin()
        office.clock.forward(hours=50)
        till.sell().deliver()
        till.end().deliver()

        text = office.refused(make.sale(office.number, office.local))
        assert text.endswith(f"\r\n{make.REGISTER} зупинено")
        assert text.startswith("Код помилки: 2 ")
        office.clock.forward(days=30)
        office.sell()


class TestBlocked:
    def test_blocked_register_sends_nothing_until_unblocked(self, opened: Office) -> None:
        opened.simulator.block_register(make.REGISTER)
        till = OfflineTill(opened).begin()

        assert "заблоковано" in opened.refused(make.sale(opened.number, opened.local))
        assert "заблоковано" in till.refused()

        opened.simulator.block_register(make.REGISTER, blocked=False)
        opened.sell()

    def test_fault_blocks_too(self, opened: Office) -> None:
        opened.simulator.faults.stand(
            Fault(kind=FaultKind.REGISTER_BLOCKED, resources=("doc", "pck"))
        )

        assert "заблоковано" in OfflineTill(opened).begin().refused()
