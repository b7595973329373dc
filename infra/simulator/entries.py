"""Accepted documents as entries of the journal, and back."""

import base64
from datetime import datetime

from infra.simulator.figures import figures_of, kind_of
from infra.simulator.journal import Entry
from infra.simulator.offline_numbers import read_offline_number
from infra.simulator.stored_document import IssuedSession, StoredDocument
from infra.simulator.xml_reader import read_document


def document_entry(stored: StoredDocument) -> Entry:
    """A document as an entry."""
    issued = stored.next_session
    return {
        "signed": base64.b64encode(stored.signed).decode("ascii"),
        "xml": base64.b64encode(stored.document.xml).decode("ascii"),
        "fiscal_number": stored.fiscal_number,
        "accepted_at": stored.accepted_at.isoformat(),
        "key": stored.key_id,
        "name": stored.signer_name,
        "shift": stored.shift_id,
        "order": stored.order,
        "is_packed": stored.offline is not None,
        "next_session": [issued.session_id, issued.seed] if issued else None,
    }


def stored_document(entry: Entry) -> StoredDocument:
    """The document of an entry; journals of before packages have two fields less."""
    document = read_document(base64.b64decode(entry["xml"]))
    kind = kind_of(document)
    assert kind is not None, "only documents of a known kind are entered"
    issued = entry.get("next_session")
    return StoredDocument(
        register=document.register,
        document=document,
        kind=kind,
        figures=figures_of(document),
        signed=base64.b64decode(entry["signed"]),
        fiscal_number=entry["fiscal_number"],
        accepted_at=datetime.fromisoformat(entry["accepted_at"]),
        issued_at=document.issued_at,
        key_id=entry["key"],
        signer_name=entry["name"],
        shift_id=entry["shift"],
        order=entry["order"],
        offline=read_offline_number(entry["fiscal_number"]) if entry.get("is_packed") else None,
        next_session=IssuedSession(*issued) if issued else None,
    )
