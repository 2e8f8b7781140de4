"""The admin's pages: documents, synonyms, and the import of a file."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from import_export.admin import ImportExportModelAdmin
from import_export.resources import ModelResource

from search import vocabulary
from search.models import Document, Synonym

admin.site.site_header = admin.site.site_title = "Search"
admin.site.index_title = "What is searched"


class DocumentResource(ModelResource):
    """How a row of a file becomes a document, found again by source and external id."""

    class Meta:
        model = Document
        exclude = ("id", "vector")
        import_id_fields = ("source", "external_id")
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True
        use_bulk = False


@admin.register(Document)
class DocumentAdmin(ImportExportModelAdmin):
    """Documents; found here as on the site."""

    resource_classes = (DocumentResource,)
    list_display = ("title", "source", "kind", "date")
    list_filter = ("source", "kind")
    search_fields = ("title",)
    search_help_text = "As on the site: words, “a phrase”, -without, one or two, begin*"
    readonly_fields = ("vector",)
    show_full_result_count = False
    list_per_page = 50

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Document], search_term: str
    ) -> tuple[QuerySet[Document], bool]:
        from search.query import parse

        if not search_term.strip():
            return queryset, False
        analysis = parse(search_term).analyse()
        return (queryset.matching(analysis.all_words) if analysis else queryset.none()), False  # type: ignore[attr-defined]

    def save_model(self, request: HttpRequest, obj: Document, *args: Any) -> None:
        super().save_model(request, obj, *args)
        vocabulary.add([obj.title, obj.body])


@admin.register(Synonym)
class SynonymAdmin(admin.ModelAdmin):
    """Synonyms; a change counts from the next search on."""

    list_display = ("term", "equivalents", "enabled")
    list_editable = ("enabled",)
    search_fields = ("term",)
