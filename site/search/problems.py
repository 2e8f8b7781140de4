"""Errors for programs: problem details, RFC 9457."""

from http import HTTPStatus

from django.http import JsonResponse


def problem(status: int, detail: str, **more: str) -> JsonResponse:
    """An answer of that status; `more` are members of its own."""
    body = {"title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return JsonResponse(body, status=status, content_type="application/problem+json")
