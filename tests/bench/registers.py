"""Registers to measure with: one made by the real ledger, many copied from it, one with a long past."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from domain.aggregate import Aggregate
from domain.clock import SystemClock, fiscal_day
from domain.identifiers import document_id, register_stream_id, shard_of, sold_receipt_id
from domain.ledger import FiscalLedger
from domain.ports import CommandKey, StoredKind
from domain.register.aggregate import Register
from domain.register.state import RegisterSettings
from domain.sale import SaleRequest
from infra.event_store import chain, reading
from infra.event_store.codec import LedgerMapper, shape_of
from infra.event_store.lanes import PostgresLanes
from infra.event_store.store import PostgresStore
from infra.postgres import Connection
from tests.support.cheap_signer import CheapSigner
from tests.support.lane_player import LanePlayer

EVENTS_A_RECEIPT = 4
"""Issued, signed, attempt begun, registered."""


@dataclass(frozen=True, slots=True)
class Network:
    """A ledger over a store, whose one register has an open shift that the service knows."""

    store: PostgresStore
    ledger: FiscalLedger
    player: LanePlayer
    register_id: UUID

    def sell(self, request: SaleRequest, *, key: str) -> UUID:
        """Sell on the register, with an idempotency key, and let the lane register the receipt."""
        command = CommandKey(scope="bench", key=key, body_hash=bytes(32))
        issued = self.ledger.sell(register_id=self.register_id, request=request, command=command)
        self.player.run(self.register_id)
        return issued.receipt_id


def open_network(store: PostgresStore) -> Network:
    """Make a company, a unit, a cashier and a register, and open its shift."""
    signer = CheapSigner()
    ledger = FiscalLedger(store=store, signer=signer, clock=SystemClock())
    player = LanePlayer(store, PostgresLanes(store), signer)
    company_id = ledger.register_company(
        code="99900011", vat="999000110019", name='ТОВ "Калина-Приклад"'
    )
    unit_id = ledger.register_business_unit(
        company_id=company_id, name='Магазин "Калина"', address="УКРАЇНА, М. ЛЬВІВ"
    )
    cashier_id = ledger.enrol_cashier(company_id=company_id, name="Приклад О. П.", key_id="olena")
    register_id = ledger.add_register(
        business_unit_id=unit_id,
        fiscal_number="4000777001",
        local_number=7,
        name="Каса 7",
        live=False,
        settings=RegisterSettings(),
    )
    ledger.open_shift(register_id=register_id, cashier_id=cashier_id)
    player.run(register_id)
    return Network(store, ledger, player, register_id)


# --- many -----------------------------------------------------------------------------------------------------


def copies_of(network: Network, owner: Connection, count: int) -> list[UUID]:
    """Store `count` registers with the past of the network's own; return their ids."""
    source = network.register_id
    past = reading.read_tail(owner, shard=shard_of(source), stream_id=source, after=0)
    ids = [register_stream_id(f"{5_000_000_000 + number}") for number in range(count)]
    _copy_events(
        owner, (_Stretch(shard_of(each), each, 1, chain.origin(each), past) for each in ids)
    )
    _copy_snapshots(owner, network.store.read(Register, source, shard=shard_of(source)), ids)
    return ids


def _copy_snapshots(owner: Connection, register: Register, ids: Sequence[UUID]) -> None:
    stored = LedgerMapper().to_stored_event(Aggregate.Snapshot.take(register))
    shape = shape_of(Register)
    with owner.cursor().copy(
        "COPY snapshots (shard, stream_id, version, topic, shape, state) FROM STDIN"
    ) as copy:
        for each in ids:
            copy.write_row(
                (shard_of(each), each, register.version, stored.topic, shape, stored.state)
            )


# --- a long past ----------------------------------------------------------------------------------------------


def give_past(network: Network, owner: Connection, receipts: int) -> None:
    """Give the network's register this many registered receipts more, by COPY: its last one again and again.

    Events, chains, commands and documents' keys are as the ledger would have written them; the bytes of documents are
    few, because no key depends on them. A snapshot stands at the end.
    """
    register_id = network.register_id
    shard = shard_of(register_id)
    register = network.store.refresh(Register, register_id, shard=shard)
    past = reading.read_tail(
        owner, shard=shard, stream_id=register_id, after=register.version - EVENTS_A_RECEIPT
    )
    ids = [uuid4() for _ in range(receipts)]
    sold = owner.execute(
        "SELECT topic, state FROM events WHERE topic = 'sold-receipt.issued' LIMIT 1"
    ).fetchone()
    before = owner.execute(
        "SELECT chain FROM events WHERE shard = %s AND stream_id = %s ORDER BY version DESC LIMIT 1",
        [shard, register_id],
    ).fetchone()
    assert sold is not None
    assert before is not None
    month = fiscal_day(network.ledger.clock.now()).replace(day=1)
    whole = [stored for _ in range(receipts) for stored in past]
    issued = [StoredEvent(register_id, 1, sold[0], bytes(sold[1]))]
    streams = [sold_receipt_id(each) for each in ids]
    _copy_events(
        owner,
        [
            _Stretch(shard, register_id, register.version + 1, bytes(before[0]), whole),
            *(_Stretch(shard, each, 1, chain.origin(each), issued) for each in streams),
        ],
    )
    register.version += len(whole)
    owner.execute("DELETE FROM snapshots WHERE stream_id = %s", [register_id])
    _copy_snapshots(owner, register, [register_id])
    _copy_commands(owner, shard, ids)
    _copy_documents(owner, shard, register_id, month, ids)
    network.store.forget_aggregates()


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Events to write in one stream, and the chain value before the first of them."""

    shard: int
    stream_id: UUID
    first_version: int
    before: bytes
    events: Sequence[StoredEvent]


def _copy_events(owner: Connection, stretches: Iterable[_Stretch]) -> None:
    """Write events and move the heads."""
    heads: dict[int, int] = dict(owner.execute("SELECT shard, position FROM heads").fetchall())
    with owner.cursor().copy(
        "COPY events (shard, position, stream_id, version, topic, chain, state) FROM STDIN"
        " WITH (FORMAT binary)"
    ) as copy:
        copy.set_types(["int2", "int8", "uuid", "int4", "text", "bytea", "bytea"])
        for each in stretches:
            value = each.before
            for version, stored in enumerate(each.events, each.first_version):
                topic, state = stored.topic, stored.state
                value = chain.link(value, topic=topic, version=version, state=state)
                heads[each.shard] += 1
                position = heads[each.shard]
                copy.write_row((each.shard, position, each.stream_id, version, topic, value, state))
    for shard, position in heads.items():
        owner.execute("UPDATE heads SET position = %s WHERE shard = %s", [position, shard])


def _copy_commands(owner: Connection, shard: int, receipt_ids: Sequence[UUID]) -> None:
    with owner.cursor().copy(
        "COPY commands (shard, scope, key, body_hash, result) FROM STDIN"
    ) as copy:
        for each in receipt_ids:
            result = f'{{"receipt_id":"{each}"}}'.encode()
            copy.write_row((shard, "bench", each.hex, bytes(32), result))


def _copy_documents(
    owner: Connection, shard: int, register_id: UUID, month: date, receipt_ids: Sequence[UUID]
) -> None:
    owner.execute("SELECT ensure_documents_partition(%s)", [month])
    content = zlib.compress(bytes(range(64)), 1)
    digest = hashlib.sha256(bytes(range(64))).digest()
    with owner.cursor().copy(
        "COPY documents (shard, month, document_id, kind, register_id, sha256, content) FROM STDIN"
    ) as copy:
        for each in receipt_ids:
            identity = document_id(each, number=1)
            for kind in StoredKind:
                copy.write_row((shard, month, identity, kind.value, register_id, digest, content))
