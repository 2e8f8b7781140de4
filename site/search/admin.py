"""The admin's pages: documents, synonyms, and what people look for."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from import_export.admin import ImportMixin

from search import analytics, vocabulary
from search.admin_import import DocumentResource, DocumentsCSV, DocumentsJSONLines
from search.manager import DocumentQuerySet
from search.models import Asked, Document, Synonym
from search.query import parse

admin.site.site_header = admin.site.site_title = "Search"
admin.site.index_title = "What is searched"


@admin.register(Document)
class DocumentAdmin(ImportMixin, admin.ModelAdmin):
    """Documents; found here as on the site."""

    resource_classes = (DocumentResource,)
    import_formats = (DocumentsCSV, DocumentsJSONLines)
    list_display = ("title", "source", "kind", "date")
    list_filter = ("source", "kind")
    search_fields = ("title",)
    search_help_text = "As on the site: words, “a phrase”, -without, one or two, begin*"
    exclude = ("vector",)
    show_full_result_count = False
    list_per_page = 50

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Document], search_term: str
    ) -> tuple[QuerySet[Document], bool]:
        del request
        if not search_term.strip():
            return queryset, False
        analysis = parse(search_term).analyse()
        assert isinstance(queryset, DocumentQuerySet)
        return (queryset.matching(analysis.all_words) if analysis else queryset.none()), False

    def save_model(self, request: HttpRequest, obj: Document, *args: Any) -> None:
        super().save_model(request, obj, *args)
        vocabulary.add([obj.title, obj.body])

    def get_import_resource_kwargs(self, request: HttpRequest, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_import_resource_kwargs(request, **kwargs), "request": request}


@admin.register(Synonym)
class SynonymAdmin(admin.ModelAdmin):
    """Synonyms; a change counts from the next search on."""

    list_display = ("term", "equivalents", "enabled")
    list_editable = ("enabled",)
    search_fields = ("term",)


@admin.register(Asked)
class AskedAdmin(admin.ModelAdmin):
    """Reports of what was looked for; nothing to change."""

    change_list_template = "search/analytics.html"

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        days = settings.ANALYTICS_DAYS
        reports = [
            ("Asked most often", analytics.top()),
            ("Asked, and nothing found", analytics.without_results()),
            (f"Slowest, from {analytics.SLOW} ms", analytics.slow()),
        ]
        return super().changelist_view(
            request, {**(extra_context or {}), "reports": reports, "days": days}
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Asked | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Asked | None = None) -> bool:
        return False
