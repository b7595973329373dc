"""What the tax service answers, as data; the wire format is the client's business."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.documents.shift import ShiftTotals


@dataclass(frozen=True, slots=True)
class Ticket:
    """The service's signed answer to an accepted document; `raw` is the CMS as received."""

    uid: str
    local_number: int
    fiscal_number: str
    server_time: datetime
    raw: bytes
    offline_session_id: str | None = None
    offline_seed: str | None = None


@dataclass(frozen=True, slots=True)
class NextOfflineSession:
    """What the service gives for the next offline session, which counts from 1 again; the seed is longer than 32 bits."""

    session_id: str
    seed: str


@dataclass(frozen=True, slots=True)
class PackageAnswer:
    """The service's answer to an accepted package; `raw` is the body as received.

    `next_session` is None unless the package ended one.
    """

    next_session: NextOfflineSession | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """A register as the service's registry has it (`Objects`, reference §6.4)."""

    fiscal_number: str
    local_number: int
    name: str
    closed: bool


@dataclass(frozen=True, slots=True)
class TaxObject:
    """A business unit as the service's registry has it; names must be copied to the letter."""

    unit_id: int
    name: str
    address: str
    tax_id: str
    vat_number: str | None
    company_name: str
    single_tax: bool
    senior_cashier: bool
    registers: tuple[RegisterEntry, ...]


@dataclass(frozen=True, slots=True)
class OperatorEntry:
    """A person's key known to the service (`Operators`, reference §6.5)."""

    subject_key_id: str
    registration_number: str | None
    senior_cashier: bool


@dataclass(frozen=True, slots=True)
class RegistrarState:
    """Where the service believes a register stands (reference §6.6).

    `offline_rollback_command_uid` is the UID of the state request that rolled the end of an offline session back.
    """

    shift_open: bool
    shift_id: int | None
    open_shift_fiscal_number: str | None
    z_report_present: bool
    testing: bool
    opener_name: str | None
    opener_key_id: str | None
    first_local_number: int
    next_local_number: int
    last_fiscal_number: str | None
    offline_supported: bool
    senior_cashier: bool
    offline_session_id: str | None
    offline_seed: str | None
    offline_next_number: int | None
    offline_session_minutes: int | None
    offline_month_minutes: int | None
    offline_session_rolled_back: bool
    closed: bool
    tax_object: TaxObject | None
    offline_rollback_command_uid: str | None = None


@dataclass(frozen=True, slots=True)
class ShiftEntry:
    """A shift as the service lists it (`Shifts`, reference §6.9)."""

    shift_id: int
    open_fiscal_number: str
    close_fiscal_number: str | None
    testing: bool
    opened_at: datetime | None
    opener_name: str | None
    opener_key_id: str | None
    closed_at: datetime | None
    closer_name: str | None
    closer_key_id: str | None
    z_report_fiscal_number: str | None


@dataclass(frozen=True, slots=True)
class DocumentEntry:
    """A document as the service lists it (`Documents`, `DocumentInfoByLocalNum`).

    `is_z_report` tells the class; `kind` and `subkind` are the service's own names and may be unknown to us.
    """

    fiscal_number: str
    local_number: int
    at: datetime | None
    is_z_report: bool
    kind: str | None
    subkind: str | None
    revoked: bool
    storned: bool


@dataclass(frozen=True, slots=True)
class ServerShiftTotals:
    """The service's own totals of the open shift (`LastShiftTotals`, reference §6.10).

    `or_else` is what the same figures mean as well, where they can be read in two ways.
    """

    shift_open: bool
    z_report_present: bool
    testing: bool
    totals: ShiftTotals | None
    or_else: ShiftTotals | None = None

    def read_by(self, ours: ShiftTotals) -> ShiftTotals:
        """Return the totals; of two readings the second only if it is what we count. None at all are zeros."""
        if self.or_else is not None and not ours.differences(self.or_else):
            return self.or_else
        return self.totals or ShiftTotals()
