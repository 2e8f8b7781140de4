"""What the index is made with: extensions, the configuration `site`, a function for tags.

As PostgreSQL's superuser, or as an owner of the database where the extensions are trusted, as
unaccent and pg_trgm are.
"""

from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations

CONFIGURATION = """
    CREATE TEXT SEARCH CONFIGURATION site (COPY = english);
    ALTER TEXT SEARCH CONFIGURATION site
        ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;
"""
# array_to_string is only stable, since it would print any type, some of which depend on settings.
# Of text it is immutable, as a generated column needs it.
TAGS = """
    CREATE FUNCTION search_tags_text(tags text[]) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN array_to_string(tags, ' ');
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = ()
    operations = (
        UnaccentExtension(),
        TrigramExtension(),
        migrations.RunSQL(CONFIGURATION, "DROP TEXT SEARCH CONFIGURATION site"),
        migrations.RunSQL(TAGS, "DROP FUNCTION search_tags_text(text[])"),
    )
