-- The journal of receipts. What a list shows and what changes stands in one table, what a receipt says in another.

CREATE TABLE projections.receipts_standings (
    register_id        uuid PRIMARY KEY,
    company_id         uuid NOT NULL,
    business_unit_id   uuid NOT NULL,
    fiscal_number      text NOT NULL,
    shift_id           uuid,
    elsewhere_shift_id uuid,
    subject_id         uuid,
    subject_kind       text,
    parked             text
) WITH (fillfactor = 50);

CREATE TABLE projections.receipts (
    receipt_id         uuid        PRIMARY KEY,
    register_id        uuid        NOT NULL,
    company_id         uuid        NOT NULL,
    business_unit_id   uuid        NOT NULL,
    shift_id           uuid,
    kind               text        NOT NULL,
    state              text        NOT NULL,
    reason             text,
    adopted            boolean     NOT NULL,
    issued_at          timestamptz NOT NULL,
    total_kopecks      bigint      NOT NULL,
    unrounded_kopecks  bigint      NOT NULL,
    rounding_kopecks   bigint      NOT NULL,
    cashier_id         uuid,
    cashier_name       text,
    document_id        uuid,
    local_number       bigint,
    fiscal_number      text,
    document_at        timestamptz,
    server_time        timestamptz,
    learned            text,
    refusal_code       integer,
    refusal_text       text,
    corrections        integer     NOT NULL,
    corrected_at       timestamptz,
    voided_at          timestamptz,
    void_reason        text
);
CREATE INDEX receipts_by_time ON projections.receipts (issued_at DESC, receipt_id DESC);
CREATE INDEX receipts_by_register ON projections.receipts (register_id, issued_at DESC, receipt_id DESC);
CREATE INDEX receipts_by_unit ON projections.receipts (business_unit_id, issued_at DESC, receipt_id DESC);
CREATE INDEX receipts_by_fiscal_number ON projections.receipts (fiscal_number);
CREATE INDEX receipts_by_local_number ON projections.receipts (local_number);
CREATE INDEX receipts_by_total ON projections.receipts (total_kopecks, issued_at DESC);
CREATE INDEX receipts_not_registered ON projections.receipts (state, issued_at DESC, receipt_id DESC)
    WHERE state <> 'registered';

-- Words to find a receipt by, made by the program: one index for goods (p:), cashiers (c:) and card tails (k:), and
-- no dependence on the dictionaries and locales of the database.
CREATE TABLE projections.receipts_contents (
    receipt_id uuid     PRIMARY KEY,
    words      tsvector NOT NULL,
    receipt    jsonb    NOT NULL
);
CREATE INDEX receipts_by_words ON projections.receipts_contents USING gin (words);
