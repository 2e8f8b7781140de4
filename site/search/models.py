"""What is searched, and what helps searching: documents and synonyms."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import ExtractYear, Lower
from django.urls import reverse

from search.lexemes import vector_field
from search.links import validate_link
from search.manager import DocumentManager
from search.sampling import IN_SAMPLE


class Document(models.Model):
    """Something that can be found.

    `source` and `external_id` name it: importing it again changes this one.
    """

    source = models.CharField(max_length=100, help_text="Where it comes from.")
    external_id = models.CharField(max_length=300, help_text="Its name there; unique in a source.")
    title = models.CharField(max_length=1_000)
    body = models.TextField(blank=True)
    kind = models.CharField(max_length=100, blank=True)
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    url = models.CharField(max_length=2_000, blank=True, validators=[validate_link])
    date = models.DateField(null=True, blank=True)
    vector = vector_field()

    objects = DocumentManager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["source", "external_id"], name="document_of_source", include=["id"]
            ),
        )
        indexes = (
            GinIndex(fields=["vector"], name="document_vector"),
            # To see that there are many, a sixteenth is enough, and takes a sixteenth of the time.
            GinIndex(fields=["vector"], name="document_sample", condition=IN_SAMPLE),
            GinIndex(fields=["tags"], name="document_tags"),
            models.Index(fields=["kind"], name="document_kind"),
            models.Index(models.F("date").desc(nulls_last=True), "id", name="document_newest"),
            models.Index(ExtractYear("date"), name="document_year"),
            # For titles that begin with what is typed, whatever the database's collation.
            models.Index(OpClass(Lower("title"), name="text_pattern_ops"), name="document_title"),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def is_elsewhere(self) -> bool:
        """Whether a click on it leaves this site."""
        return _is_of_the_web(self.get_absolute_url())

    def get_absolute_url(self) -> str:
        """Where it is read: at its own address if that is one of the web, else on this site."""
        if self.url.startswith("/") and settings.DOCUMENTS_URL:
            return f"{settings.DOCUMENTS_URL}{self.url}"
        if _is_of_the_web(self.url):
            return self.url
        return reverse("document", args=[self.pk])


def _is_of_the_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))


class Word(models.Model):
    """A word of the corpus as it is written, in lower case. vocabulary.py keeps these."""

    word = models.TextField(primary_key=True)
    documents = models.BigIntegerField(help_text="That have it; of many documents, an estimate.")

    class Meta:
        # The primary key's own index for LIKE, which Django makes, serves beginnings.
        indexes = (GinIndex(OpClass("word", name="gin_trgm_ops"), name="word_trigrams"),)

    def __str__(self) -> str:
        return self.word


class SynonymManager(models.Manager["Synonym"]):
    """Synonyms, and what the query parser wants of them."""

    def mapping(self) -> dict[str, list[str]]:
        """Term → what is searched as well, of those that are enabled."""
        return dict(self.filter(enabled=True).values_list("term", "equivalents"))


class Synonym(models.Model):
    """Other words for one word: whoever searches for it finds those, too."""

    term = models.CharField(max_length=100, unique=True, help_text="What people type.")
    equivalents = ArrayField(
        models.CharField(max_length=100),
        help_text="What is searched as well, parted by commas. A phrase counts as one.",
    )
    enabled = models.BooleanField(default=True)

    objects = SynonymManager()

    def __str__(self) -> str:
        return f"{self.term} → {', '.join(self.equivalents)}"

    def clean(self) -> None:
        self.term = " ".join(self.term.lower().split())
        self.equivalents = [" ".join(each.split()) for each in self.equivalents if each.strip()]
        if not self.equivalents:
            raise ValidationError({"equivalents": "Name at least one."})


class Asked(models.Model):
    """A search that somebody made; not who. analytics.py writes and prunes these."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    text = models.TextField()
    results = models.IntegerField(help_text="Counted up to a cap.")
    milliseconds = models.IntegerField()

    class Meta:
        verbose_name = "search"
        verbose_name_plural = "searches"

    def __str__(self) -> str:
        return self.text
