"""Refusals that a program can read: problem details after RFC 9457."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"

Content = TypeVar("Content", bound=BaseModel)


class Problem(Exception):
    """Raised in a handler: the request ends in this refusal."""

    def __init__(
        self,
        kind: str,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        """`kind` names the type of problem, as in /problems/out-of-stock, and does not change.

        `detail` is for a person, and may; `members` are what a program needs beyond the type.
        """
        super().__init__(detail)
        self.response = JSONResponse(
            {
                "type": f"/problems/{kind}",
                "title": kind.replace("-", " ").capitalize(),
                "status": status,
                "detail": detail,
                **members,
            },
            status,
            headers,
            MEDIA_TYPE,
        )


async def answer(_: Request, problem: Exception) -> JSONResponse:
    """Starlette's handler for a Problem."""
    assert isinstance(problem, Problem)
    return problem.response


async def answer_plainly(_: Request, error: Exception) -> JSONResponse:
    """Starlette's handler for its own 404 and 405, whose status says it all.

    They have no type, which stands for about:blank.
    """
    assert isinstance(error, HTTPException)
    content = {"title": HTTPStatus(error.status_code).phrase, "status": error.status_code}
    return JSONResponse(content, error.status_code, error.headers, MEDIA_TYPE)


def parsed(model: type[Content], body: bytes) -> Content:
    """The body as a `model`. Raises Problem: 400 when it is not JSON, 422 when it does not fit."""
    try:
        return model.model_validate_json(body)
    except ValidationError as invalid:
        errors = invalid.errors()
    if errors[0]["type"] == "json_invalid":
        raise Problem("malformed-body", 400, "The body is not JSON.")
    raise Problem(
        "invalid-content",
        422,
        "The body is JSON, and not what this address takes.",
        errors=[
            # A JSON Pointer to what is wrong, as in the RFC's own example.
            {"pointer": "".join(f"/{part}" for part in error["loc"]), "detail": error["msg"]}
            for error in errors
        ],
    )
