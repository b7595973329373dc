-- The journal of fiscal documents: each signed attempt to register something, and what was adopted.

CREATE TABLE projections.documents_standings (
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

CREATE TABLE projections.documents (
    document_id      uuid        PRIMARY KEY,
    register_id      uuid        NOT NULL,
    company_id       uuid        NOT NULL,
    business_unit_id uuid        NOT NULL,
    shift_id         uuid,
    subject_id       uuid,
    kind             text        NOT NULL,
    state            text        NOT NULL,
    adopted          boolean     NOT NULL,
    local_number     bigint      NOT NULL,
    fiscal_number    text,
    document_at      timestamptz NOT NULL,
    version          integer     NOT NULL, -- of the register, when the document came to be
    server_time      timestamptz,
    learned          text,
    attempts         integer     NOT NULL,
    reason           text,
    refusal_code     integer,
    refusal_text     text,
    key_id           text,
    xml_sha256       text,
    signed_sha256    text,
    stamped_sha256   text,
    ticket_sha256    text
);
CREATE INDEX documents_by_time ON projections.documents (document_at DESC, document_id DESC);
CREATE INDEX documents_by_register ON projections.documents (register_id, document_at DESC, document_id DESC);
CREATE INDEX documents_by_subject ON projections.documents (subject_id);
CREATE INDEX documents_by_fiscal_number ON projections.documents (fiscal_number);
CREATE INDEX documents_by_local_number ON projections.documents (register_id, local_number);
