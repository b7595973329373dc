-- Balances: money by register, shift, payment form and state of the receipts.

CREATE TABLE projections.balances_standings (
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

-- Receipts whose state may still change; a row goes when its receipt is registered or voided.
CREATE TABLE projections.balances_open (
    receipt_id         uuid   PRIMARY KEY,
    register_id        uuid   NOT NULL,
    shift_id           uuid,
    kind               text   NOT NULL,
    state              text   NOT NULL,
    total_kopecks      bigint NOT NULL,
    unrounded_kopecks  bigint NOT NULL,
    rounding_kopecks   bigint NOT NULL,
    payments           jsonb  NOT NULL
);

CREATE TABLE projections.balances_payments (
    register_id    uuid    NOT NULL,
    shift_id       uuid    NOT NULL,
    kind           text    NOT NULL,
    state          text    NOT NULL,
    form_code      integer NOT NULL,
    form_name      text    NOT NULL,
    payments       integer NOT NULL,
    amount_kopecks bigint  NOT NULL,
    PRIMARY KEY (register_id, shift_id, kind, state, form_code, form_name)
) WITH (fillfactor = 50);

CREATE TABLE projections.balances_receipts (
    register_id       uuid    NOT NULL,
    shift_id          uuid    NOT NULL,
    kind              text    NOT NULL,
    state             text    NOT NULL,
    receipts          integer NOT NULL,
    total_kopecks     bigint  NOT NULL,
    unrounded_kopecks bigint  NOT NULL,
    rounding_kopecks  bigint  NOT NULL,
    PRIMARY KEY (register_id, shift_id, kind, state)
) WITH (fillfactor = 50);
