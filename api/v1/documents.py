"""Fiscal documents as bytes: what was signed, what was sent, what the tax service answered."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from api.auth import Right
from api.positions import reach
from api.routing import Call, Endpoints
from api.schemas.common import AtLeast, DocumentId, RegisterId
from domain.errors import IntegrityFault, NotFound
from domain.ports import DocumentRef, StoredKind
from infra.signing.errors import SignatureInvalid
from infra.signing.signed_message import parse

documents = Endpoints(
    tag="Documents", description="Signed documents and tickets, kept for the legal term."
)


class Form(StrEnum):
    """Which bytes of a document."""

    XML = "xml"
    SIGNED = "signed"
    TICKET = "ticket"


_MEDIA_TYPES = {
    Form.XML: "application/xml; charset=windows-1251",
    Form.SIGNED: "application/pkcs7-mime",
    Form.TICKET: "application/pkcs7-mime",
}
_EXTENSIONS = {Form.XML: "xml", Form.SIGNED: "p7s", Form.TICKET: "ticket.p7s"}
_KINDS = {
    # What was sent has the time-stamp too, so it comes first where it exists.
    Form.XML: (StoredKind.SIGNED,),
    Form.SIGNED: (StoredKind.STAMPED, StoredKind.SIGNED),
    Form.TICKET: (StoredKind.TICKET,),
}


@documents.add(
    "GET",
    "/v1/registers/{register_id}/documents/{document_id}",
    right=Right.READ,
    answer=None,
    summary="Download a document",
    media_type="application/xml",
    others={
        200: {
            "content": {
                "application/pkcs7-mime": {
                    "schema": {"type": "string", "format": "binary"},
                    "example": "MIIK…",
                }
            }
        }
    },
    refuses=(IntegrityFault,),
)
async def download_document(
    call: Call,
    register_id: RegisterId,
    document_id: DocumentId,
    form: Annotated[
        Form,
        Query(
            description="`xml`: the document in windows-1251; `signed`: the signed message as sent; "
            "`ticket`: the tax service's signed answer.",
            examples=["xml"],
        ),
    ] = Form.XML,
    at_least: AtLeast = None,
) -> Response:
    """Return the bytes of a document as they are kept. Of adopted documents there are none."""
    view = call.parts.views.documents
    await reach(call.parts, view, at_least)
    row = await call.parts.from_view(view.get, document_id)
    if row.register_id != register_id:
        raise NotFound(what="document", id=str(document_id))
    kept = {ref.kind: ref for ref in row.bytes_kept}
    ref = next((kept[kind] for kind in _KINDS[form] if kind in kept), None)
    if ref is None:
        raise NotFound(what=f"{form.value} form of document", id=str(document_id))
    content = await call.parts.in_thread(call.parts.store.document, ref)
    if form is Form.XML:
        content = _signed_content(content, ref)
    return Response(
        content,
        media_type=_MEDIA_TYPES[form],
        headers={
            "Content-Disposition": f'attachment; filename="{document_id}.{_EXTENSIONS[form]}"',
            "Cache-Control": "private, max-age=31536000, immutable",
        },
    )


def _signed_content(signed: bytes, ref: DocumentRef) -> bytes:
    """Return what a signed message is about. Raises: IntegrityFault."""
    try:
        content = parse(signed).content
    except SignatureInvalid as error:
        raise _not_signed(ref) from error
    if content is None:
        raise _not_signed(ref)
    return content


def _not_signed(ref: DocumentRef) -> IntegrityFault:
    return IntegrityFault(
        place=f"document {ref.document_id}", what="it is not a message with its content"
    )
