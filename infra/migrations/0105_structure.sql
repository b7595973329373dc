-- The network: companies, business units, registers, cashiers. Rows may come before the rows they name.

CREATE TABLE projections.structure_network (
    network_id uuid PRIMARY KEY,
    name       text NOT NULL
);

CREATE TABLE projections.structure_companies (
    company_id uuid  PRIMARY KEY,
    tax_id     text  NOT NULL,
    vat_number text,
    name       text  NOT NULL,
    tax_groups jsonb NOT NULL
);
CREATE INDEX structure_companies_by_name ON projections.structure_companies (name, company_id);

CREATE TABLE projections.structure_business_units (
    business_unit_id uuid PRIMARY KEY,
    company_id       uuid NOT NULL,
    name             text NOT NULL,
    address          text
);
CREATE INDEX structure_business_units_by_name
    ON projections.structure_business_units (name, business_unit_id);

CREATE TABLE projections.structure_registers (
    register_id        uuid    PRIMARY KEY,
    company_id         uuid    NOT NULL,
    business_unit_id   uuid    NOT NULL,
    fiscal_number      text    NOT NULL,
    local_number       bigint  NOT NULL,
    name               text    NOT NULL,
    live               boolean NOT NULL,
    settings           jsonb   NOT NULL,
    next_local_number  bigint,
    last_document_at   timestamptz,
    last_fiscal_number text,
    shift_id           uuid,
    shift_number       integer,
    shift_closing      boolean NOT NULL,
    cashier_id         uuid,
    cashier_name       text,
    parked_reason      text,
    parked_code        integer,
    parked_text        text,
    parked_at          timestamptz
) WITH (fillfactor = 50);
CREATE INDEX structure_registers_by_name ON projections.structure_registers (name, register_id);
CREATE INDEX structure_registers_by_unit ON projections.structure_registers (business_unit_id);
CREATE INDEX structure_registers_by_fiscal_number ON projections.structure_registers (fiscal_number);

CREATE TABLE projections.structure_cashiers (
    cashier_id uuid PRIMARY KEY,
    company_id uuid NOT NULL,
    name       text NOT NULL,
    key_id     text
);
CREATE INDEX structure_cashiers_by_name ON projections.structure_cashiers (name, cashier_id);
