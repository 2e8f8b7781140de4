"""For each frequent lexeme, the documents that it says most about: what makes common words fast.

search/champions.py fills the lists; a trigger notes the documents that have changed since, which
are candidates whatever the lists say.
"""

from django.db import migrations

TABLES = """
    CREATE TABLE search_champion (
        term text COLLATE "C" PRIMARY KEY,
        documents bigint[] NOT NULL,
        impacts real[] NOT NULL,
        worst real NOT NULL -- the last impact: to look into the array would unpack it
    );
    COMMENT ON TABLE search_champion IS
        'Documents of the greatest share of BM25 that a lexeme gives, without its rarity; best first';
    CREATE TABLE search_recent (document_id bigint PRIMARY KEY);
    COMMENT ON TABLE search_recent IS 'Documents that have changed since the lists were made';
"""
DROP_TABLES = "DROP TABLE search_champion, search_recent"
KEEP = """
    CREATE FUNCTION search_note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO search_recent (document_id) SELECT id FROM new_rows ON CONFLICT DO NOTHING;
        RETURN NULL;
    END
    $$;
    CREATE TRIGGER search_noted_new AFTER INSERT ON search_document
        REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION search_note();
    CREATE TRIGGER search_noted_change AFTER UPDATE ON search_document
        REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION search_note();
"""
DROP_KEEP = """
    DROP TRIGGER search_noted_new ON search_document;
    DROP TRIGGER search_noted_change ON search_document;
    DROP FUNCTION search_note;
"""


class Migration(migrations.Migration):
    dependencies = (("search", "0005_searches"),)
    operations = (
        migrations.RunSQL(TABLES, DROP_TABLES),
        migrations.RunSQL(KEEP, DROP_KEEP),
    )
