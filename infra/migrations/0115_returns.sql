-- Returns: what a receipt is about, and which returns are still to be settled.
-- What a projection wrote before held no returns and stornos; `fiscal projections rebuild` also shows adopted ones.

ALTER TABLE projections.receipts
    ADD COLUMN original_receipt_id    uuid,
    ADD COLUMN original_fiscal_number text;
CREATE INDEX receipts_by_original ON projections.receipts (original_receipt_id)
    WHERE original_receipt_id IS NOT NULL;
CREATE INDEX receipts_by_original_number ON projections.receipts (original_fiscal_number)
    WHERE original_fiscal_number IS NOT NULL;

CREATE TABLE projections.returns (
    return_id              uuid        PRIMARY KEY,
    register_id            uuid,
    sold_register_id       uuid,
    sold_receipt_id        uuid,
    reserved_at            timestamptz,
    confirmed              boolean     NOT NULL,
    released               boolean     NOT NULL,
    stornoed               boolean     NOT NULL,
    original_fiscal_number text,
    original_register      text
);
CREATE INDEX returns_to_settle ON projections.returns (reserved_at, return_id)
    WHERE (NOT confirmed OR stornoed) AND NOT released;
CREATE INDEX returns_to_count ON projections.returns (return_id)
    WHERE original_fiscal_number IS NOT NULL AND reserved_at IS NULL;
