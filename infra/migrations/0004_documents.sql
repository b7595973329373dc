-- Signed bytes, stamped bytes and tickets: once, compressed, for the legal term.
-- One partition a month of signing: the owner may drop a month when its term is over.

CREATE TABLE documents (
    recorded_at timestamptz NOT NULL DEFAULT now(),
    document_id uuid        NOT NULL,
    register_id uuid        NOT NULL,
    month       date        NOT NULL CHECK (extract(day FROM month) = 1),
    shard       smallint    NOT NULL,
    kind        text        NOT NULL,
    sha256      bytea       NOT NULL CHECK (length(sha256) = 32), -- of the bytes before compression
    content     bytea       NOT NULL,                             -- zlib
    PRIMARY KEY (shard, month, document_id, kind)
) PARTITION BY LIST (month);
ALTER TABLE documents ALTER COLUMN content SET STORAGE EXTERNAL;
ALTER TABLE documents ALTER COLUMN sha256 SET STORAGE PLAIN;

CREATE TRIGGER documents_are_final
    BEFORE UPDATE OR DELETE OR TRUNCATE ON documents
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE documents ENABLE ALWAYS TRIGGER documents_are_final;

GRANT SELECT, INSERT ON documents TO fiscal_app;

-- Makes the partition of a month, if it is not there; true when it made one. The application calls it with the
-- owner's rights, for the months ahead and for any month a document needs.
CREATE FUNCTION ensure_documents_partition(month date) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
DECLARE
    first_day constant date := date_trunc('month', month);
    partition constant text := 'documents_' || to_char(month, 'YYYY_MM');
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('ensure_documents_partition'));
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    -- Made apart and then attached: that does not wait for running appends, nor they for it.
    EXECUTE format(
        'CREATE TABLE %I (LIKE documents INCLUDING ALL) WITH ('
        'toast_tuple_target = 8160, autovacuum_freeze_min_age = 0, '
        'autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02)',
        partition);
    EXECUTE format(
        'CREATE TRIGGER documents_are_final BEFORE UPDATE OR DELETE OR TRUNCATE ON %I '
        'FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', partition);
    EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER documents_are_final', partition);
    EXECUTE format('ALTER TABLE documents ATTACH PARTITION %I FOR VALUES IN (%L)', partition, first_day);
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION ensure_documents_partition(date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ensure_documents_partition(date) TO fiscal_app;
