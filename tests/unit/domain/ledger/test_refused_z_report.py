"""A Z-report that the tax service refused is made again, as a document of its own."""

from domain.identifiers import document_id
from domain.register import events
from tests.support.history import History


def test_each_attempt_at_a_z_report_is_another_document() -> None:
    history = History(registers=1)
    (register_id,) = history.registers
    history.open(register_id)
    history.ledger.close_shift(register_id=register_id)
    history.make_z(register_id, agrees=True)
    history.refuse(register_id)
    history.make_z(register_id, agrees=True)
    history.accept_all(register_id)
    register = history.register(register_id)
    assert register.shift is None
    made = [
        stored.event for stored in history.events if isinstance(stored.event, events.ZReportMade)
    ]
    z_report_id = made[0].z_report.z_report_id
    assert [event.z_report.z_report_id for event in made] == [z_report_id, z_report_id]
    signed = [
        stored.event.document_id
        for stored in history.events
        if isinstance(stored.event, events.DocumentSigned)
        and stored.event.subject_id == z_report_id
    ]
    assert signed == [document_id(z_report_id, number=number) for number in (0, 1)]
