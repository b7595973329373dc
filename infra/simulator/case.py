"""One document before the judge: the document, who signed it, and what the server knows of both."""

from dataclasses import dataclass, field
from datetime import datetime

from infra.simulator.answers import access_not_granted, invalid, register_absent
from infra.simulator.book import Book, RegisterBook
from infra.simulator.figures import Figures, Kind, figures_of, kind_of
from infra.simulator.registry import KeyEntry, Registered, Registry
from infra.simulator.switches import Switches
from infra.simulator.xml_reader import Document


@dataclass(slots=True)
class Case:
    """What the checks look at. ``now`` is the server's moment, aware.

    ``access_withdrawn``, ``register_closed`` and ``register_blocked`` come from faults in force for this
    request; ``in_package`` tells that an offline package brought the document.
    """

    document: Document
    key_id: str
    now: datetime
    switches: Switches
    registry: Registry
    book: Book
    access_withdrawn: bool = False
    register_closed: bool = False
    register_blocked: bool = False
    in_package: bool = False
    kind: Kind = field(init=False)
    figures: Figures = field(init=False)

    def __post_init__(self) -> None:
        kind = kind_of(self.document)
        if kind is None:
            raise invalid(
                f"Невідомий вид документа DOCTYPE {self.document.document_type}, "
                f"DOCSUBTYPE {self.document.document_subtype}"
            )
        self.kind = kind
        self.figures = figures_of(self.document)

    @property
    def registered(self) -> Registered:
        """The register's registration. Raises: Refusal with code 1."""
        found = self.registry.find(self.document.register)
        if found is None:
            raise register_absent(self.document.register)
        return found

    @property
    def key(self) -> KeyEntry:
        """The signing key's entry. Raises: Refusal with code 1 or 2."""
        register = self.registered.register.fiscal_number
        right = self.registry.right(key_id=self.key_id, register=register)
        if right is None or self.access_withdrawn:
            raise access_not_granted(register=register, key_id=self.key_id)
        return right

    @property
    def register_book(self) -> RegisterBook:
        """The register's book. Raises: Refusal with code 1."""
        return self.book.open(self.registered.register)

    @property
    def is_closed(self) -> bool:
        """Whether the register's registration is cancelled."""
        return self.register_closed or self.registered.register.closed

    @property
    def is_blocked(self) -> bool:
        """Whether the register is blocked by hand or by a fault; for its limits, ``blocking`` tells."""
        return self.register_blocked or self.registered.register.blocked
