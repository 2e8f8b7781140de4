"""What BM25 needs to know of the corpus, kept right by the database itself.

Triggers look at each statement's documents once, so that an edit in the admin, a script's update
and a small import are all counted. A large import switches them off, and has all of it counted
anew at its end (search/statistics.py).
"""

from django.db import migrations

TABLES = """
    CREATE TABLE search_corpus (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        documents bigint NOT NULL,
        length bigint NOT NULL
    );
    COMMENT ON TABLE search_corpus IS 'Documents, and the words of all of them together';
    INSERT INTO search_corpus (documents, length) VALUES (0, 0);
    CREATE TABLE search_term (
        term text COLLATE "C" PRIMARY KEY,
        documents bigint NOT NULL
    );
    COMMENT ON TABLE search_term IS 'Each lexeme, and how many documents have it';
    CREATE TABLE search_length (document_id bigint PRIMARY KEY, length integer NOT NULL);
    COMMENT ON TABLE search_length IS 'Words of each document that the index holds';
"""
DROP_TABLES = "DROP TABLE search_corpus, search_term, search_length"
KEEP = """
    CREATE FUNCTION search_vector_length(vector tsvector) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT coalesce(sum(cardinality(positions)), 0) FROM unnest(vector));

    CREATE FUNCTION search_keep() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- One at a time: two edits would lock their lexemes in different orders.
        PERFORM pg_advisory_xact_lock(hashtext('search_keep'));
        IF TG_OP <> 'INSERT' THEN
            WITH gone AS (
                SELECT lexeme, count(*) AS documents FROM gone_rows, unnest(vector) GROUP BY lexeme
            )
            UPDATE search_term SET documents = search_term.documents - gone.documents
            FROM gone WHERE term = lexeme;
            DELETE FROM search_term
            WHERE documents <= 0
                AND term IN (SELECT lexeme FROM gone_rows, unnest(vector));
            WITH gone AS (
                DELETE FROM search_length USING gone_rows WHERE document_id = id RETURNING length
            )
            UPDATE search_corpus SET
                documents = documents - (SELECT count(*) FROM gone),
                length = length - (SELECT coalesce(sum(length), 0) FROM gone);
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO search_term AS known (term, documents)
            SELECT lexeme, count(*) FROM new_rows, unnest(vector) GROUP BY lexeme
            ON CONFLICT (term) DO UPDATE SET documents = known.documents + excluded.documents;
            WITH added AS (
                INSERT INTO search_length (document_id, length)
                SELECT id, search_vector_length(vector) FROM new_rows
                RETURNING length
            )
            UPDATE search_corpus SET
                documents = documents + (SELECT count(*) FROM added),
                length = length + (SELECT coalesce(sum(length), 0) FROM added);
        END IF;
        RETURN NULL;
    END
    $$;

    CREATE FUNCTION search_forget() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM search_term;
        DELETE FROM search_length;
        UPDATE search_corpus SET documents = 0, length = 0;
        RETURN NULL;
    END
    $$;

    CREATE TRIGGER search_added AFTER INSERT ON search_document
        REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION search_keep();
    CREATE TRIGGER search_changed AFTER UPDATE ON search_document
        REFERENCING OLD TABLE AS gone_rows NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION search_keep();
    CREATE TRIGGER search_deleted AFTER DELETE ON search_document
        REFERENCING OLD TABLE AS gone_rows
        FOR EACH STATEMENT EXECUTE FUNCTION search_keep();
    CREATE TRIGGER search_emptied AFTER TRUNCATE ON search_document
        FOR EACH STATEMENT EXECUTE FUNCTION search_forget();
"""
DROP_KEEP = """
    DROP TRIGGER search_added ON search_document;
    DROP TRIGGER search_changed ON search_document;
    DROP TRIGGER search_deleted ON search_document;
    DROP TRIGGER search_emptied ON search_document;
    DROP FUNCTION search_keep, search_forget, search_vector_length;
"""


class Migration(migrations.Migration):
    dependencies = (("search", "0003_words"),)
    operations = (
        migrations.RunSQL(TABLES, DROP_TABLES),
        migrations.RunSQL(KEEP, DROP_KEEP),
    )
