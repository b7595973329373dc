-- Turnover: what registered receipts come to by tax letter, product and cashier, of each register, shift and Kyiv day.
-- What was registered before counts after `fiscal projections rebuild receipts`.

CREATE TABLE projections.turnover_taxes (
    register_id                 uuid    NOT NULL,
    company_id                  uuid    NOT NULL,
    business_unit_id            uuid    NOT NULL,
    shift_id                    uuid    NOT NULL,
    day                         date    NOT NULL,
    testing                     boolean NOT NULL,
    kind                        text    NOT NULL,
    tax_kind                    integer NOT NULL,
    tax_name                    text    NOT NULL,
    letter                      text    NOT NULL,
    rate_basis_points           integer NOT NULL,
    receipts                    integer NOT NULL,
    turnover_kopecks            bigint  NOT NULL,
    discounted_turnover_kopecks bigint  NOT NULL,
    base_kopecks                bigint  NOT NULL,
    tax_kopecks                 bigint  NOT NULL,
    PRIMARY KEY (register_id, shift_id, day, testing, kind, tax_kind, tax_name, letter, rate_basis_points)
) WITH (fillfactor = 50);
CREATE INDEX turnover_taxes_by_day ON projections.turnover_taxes (day);

CREATE TABLE projections.turnover_products (
    register_id          uuid    NOT NULL,
    company_id           uuid    NOT NULL,
    business_unit_id     uuid    NOT NULL,
    shift_id             uuid    NOT NULL,
    day                  date    NOT NULL,
    testing              boolean NOT NULL,
    kind                 text    NOT NULL,
    code                 text    NOT NULL,
    name                 text    NOT NULL,
    unit_name            text    NOT NULL,
    lines                integer NOT NULL,
    quantity_thousandths bigint  NOT NULL,
    cost_kopecks         bigint  NOT NULL,
    taken_off_kopecks    bigint  NOT NULL,
    total_kopecks        bigint  NOT NULL,
    PRIMARY KEY (register_id, shift_id, day, testing, kind, code, name, unit_name)
) WITH (fillfactor = 50);
CREATE INDEX turnover_products_by_day ON projections.turnover_products (day);

CREATE TABLE projections.turnover_cashiers (
    register_id       uuid    NOT NULL,
    company_id        uuid    NOT NULL,
    business_unit_id  uuid    NOT NULL,
    shift_id          uuid    NOT NULL,
    day               date    NOT NULL,
    testing           boolean NOT NULL,
    kind              text    NOT NULL,
    cashier_name      text    NOT NULL,
    receipts          integer NOT NULL,
    total_kopecks     bigint  NOT NULL,
    unrounded_kopecks bigint  NOT NULL,
    rounding_kopecks  bigint  NOT NULL,
    taken_off_kopecks bigint  NOT NULL,
    PRIMARY KEY (register_id, shift_id, day, testing, kind, cashier_name)
) WITH (fillfactor = 50);
CREATE INDEX turnover_cashiers_by_day ON projections.turnover_cashiers (day);
