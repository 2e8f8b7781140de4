"""The admin's import: the files and the rules of `manage.py import_documents`, in a browser.

django-import-export shows what would change and asks; a row that is no document is left out here,
before that, and told with its line and the reason.
"""

import io
from typing import Any

import tablib
from django.contrib import messages
from django.http import HttpRequest
from import_export import fields, widgets
from import_export.formats.base_formats import Format
from import_export.resources import ModelResource

from search import statistics, vocabulary
from search.importing import MOST_BY_TRIGGER, settle
from search.models import Document
from search.rows import FIELDS, Refused, UnreadableFile, read_open

MOST_TOLD = 50
MOST_ROWS = 5_000
"""Row by row, twice, within the time that a request may take; and all of them in memory."""


class _Rows(Format):
    """A file as rows.py reads it; what it refuses goes along, to be told."""

    extension = ""

    def __init__(self, encoding: str | None = None) -> None:
        del encoding  # it is UTF-8

    def get_title(self) -> str:
        return self.extension

    def create_dataset(self, in_stream: bytes) -> tablib.Dataset:
        dataset = tablib.Dataset(headers=FIELDS)
        dataset.refused = []
        for row in read_open(io.BytesIO(in_stream), f"The file.{self.extension}"):
            if isinstance(row, Refused):
                dataset.refused.append(row)
            else:
                if len(dataset) == MOST_ROWS:
                    raise UnreadableFile(
                        f"More than {MOST_ROWS:,} documents are too many for a page. Import them "
                        f"with `manage.py import_documents FILE.{self.extension}`."
                    )
                dataset.append([getattr(row, name) for name in FIELDS])
        if not dataset and dataset.refused:
            first = dataset.refused[0]
            raise UnreadableFile(f"No row is a document. Line {first.line}: {first.reason}.")
        return dataset

    def is_binary(self) -> bool:
        return True

    def get_read_mode(self) -> str:
        return "rb"

    def get_extension(self) -> str:
        return self.extension

    def can_import(self) -> bool:
        return True


class DocumentsCSV(_Rows):
    """Columns by name, in any order."""

    extension = "csv"


class DocumentsJSONLines(_Rows):
    """An object a line."""

    extension = "jsonl"


class _Tags(widgets.Widget):
    """A list, as rows.py has made it; to be looked at, parted by commas."""

    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> list[str]:
        del row, kwargs
        return list(value or [])

    def render(self, value: Any, obj: Any = None, **kwargs: Any) -> str:
        del obj, kwargs
        return ",".join(value or [])


class DocumentResource(ModelResource):
    """How a row becomes a document, found again by source and external id."""

    tags = fields.Field(attribute="tags", column_name="tags", widget=_Tags())

    class Meta:
        model = Document
        fields = FIELDS
        import_id_fields = ("source", "external_id")
        skip_unchanged = True
        report_skipped = True
        skip_html_diff = True  # it is coloured by styles within the page, which the policy forbids
        use_transactions = True

    def __init__(self, request: HttpRequest | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._request = request
        self._counted_once = False

    def before_import(self, dataset: tablib.Dataset, **kwargs: Any) -> None:
        self._tell(getattr(dataset, "refused", []))
        if len(dataset) > MOST_BY_TRIGGER:
            statistics.begin_bulk()
            self._counted_once = True

    def after_import(self, dataset: tablib.Dataset, result: Any, **kwargs: Any) -> None:
        if self._counted_once:
            statistics.end_bulk()
        if not kwargs.get("dry_run"):
            settle()
            vocabulary.refresh()

    def _tell(self, refused: list[Refused]) -> None:
        if self._request is None or not refused:
            return
        for row in refused[:MOST_TOLD]:
            messages.warning(self._request, f"Line {row.line} is left out: {row.reason}.")
        if len(refused) > MOST_TOLD:
            more = len(refused) - MOST_TOLD
            messages.warning(self._request, f"{more:,} more lines are left out.")
