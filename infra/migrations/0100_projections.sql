-- Read models stand in a schema of their own: each can be thrown away and made again beside the live one.

CREATE SCHEMA projections;
GRANT USAGE ON SCHEMA projections TO fiscal_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA projections
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO fiscal_app;
