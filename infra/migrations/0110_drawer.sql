-- Movements of cash in drawers, with the balance after each.

CREATE TABLE projections.drawer_standings (
    register_id        uuid PRIMARY KEY,
    company_id         uuid NOT NULL,
    business_unit_id   uuid NOT NULL,
    fiscal_number      text NOT NULL,
    shift_id           uuid,
    elsewhere_shift_id uuid,
    subject_id         uuid,
    subject_kind       text,
    parked             text,
    testing            boolean NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE projections.drawer_balances (
    register_id     uuid   PRIMARY KEY,
    balance_kopecks bigint NOT NULL,
    tests_kopecks   bigint NOT NULL
) WITH (fillfactor = 50);

-- Receipts that may still be corrected or voided, with the cash they moved; a row goes when its receipt is registered
-- or voided.
CREATE TABLE projections.drawer_open (
    receipt_id    uuid   PRIMARY KEY,
    kind          text   NOT NULL,
    purpose       text,
    cashier_name  text,
    moved_kopecks bigint NOT NULL,
    testing       boolean NOT NULL
);

CREATE TABLE projections.drawer_movements (
    movement_id      uuid        PRIMARY KEY,
    register_id      uuid        NOT NULL,
    company_id       uuid        NOT NULL,
    business_unit_id uuid        NOT NULL,
    shift_id         uuid,
    at               timestamptz NOT NULL,
    cause            text        NOT NULL,
    kind             text,
    purpose          text,
    reason           text,
    amount_kopecks   bigint      NOT NULL,
    balance_kopecks  bigint      NOT NULL,
    receipt_id       uuid,
    cashier_name     text,
    document_id      uuid,
    local_number     bigint,
    fiscal_number    text,
    testing          boolean     NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX drawer_movements_by_time ON projections.drawer_movements (at DESC, movement_id DESC);
CREATE INDEX drawer_movements_by_register ON projections.drawer_movements (register_id, at DESC, movement_id DESC);
CREATE INDEX drawer_movements_by_shift ON projections.drawer_movements (shift_id, at DESC, movement_id DESC);
CREATE INDEX drawer_movements_by_receipt ON projections.drawer_movements (receipt_id);
