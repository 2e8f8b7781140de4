"""A small index over each sixteenth document, and the length of each champion list beside it."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models.functions import Mod
from django.db.models.lookups import Exact

LENGTH = """
    -- To ask a list for it would unpack it.
    ALTER TABLE search_champion
        ADD COLUMN length integer GENERATED ALWAYS AS (cardinality(documents)) STORED;
    -- Numbers in no order are hardly smaller when they are packed.
    ALTER TABLE search_champion
        ALTER COLUMN documents SET STORAGE EXTERNAL, ALTER COLUMN impacts SET STORAGE EXTERNAL;
"""
NO_LENGTH = """
    ALTER TABLE search_champion DROP COLUMN length;
    ALTER TABLE search_champion
        ALTER COLUMN documents SET STORAGE EXTENDED, ALTER COLUMN impacts SET STORAGE EXTENDED;
"""


class Migration(migrations.Migration):
    dependencies = (("search", "0006_champions"),)
    operations = (
        migrations.AddIndex(
            "document",
            GinIndex(
                fields=["vector"],
                name="document_sample",
                condition=models.Q(Exact(Mod(models.F("id"), 16), 0)),
            ),
        ),
        migrations.RunSQL(LENGTH, NO_LENGTH),
    )
