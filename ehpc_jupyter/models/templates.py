"""Templates: what a form says, kept under a name for the next job. Extensions of ours, in the API's shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from ehpc_jupyter.errors import InvalidParams, Problem
from ehpc_jupyter.models.base import WireModel
from ehpc_jupyter.models.common import DEFAULT_CLUSTER, Answer, json_text
from ehpc_jupyter.models.fields import body_of, fields_of, texts_of
from ehpc_jupyter.models.job_actions import CreateJobRequest
from ehpc_jupyter.models.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

#: All of them go out in one answer.
MOST_TEMPLATES = 200
LARGEST_TEMPLATE = 100_000

_FIELDS = [field for field in fields_of() if not field.is_group and field.group != "hidden"]
#: The fields that a template may hold, by wire path.
TEMPLATE_PATHS = tuple(field.path for field in _FIELDS if field.widget != "password")
_SECRET_PATHS = tuple(field.path for field in _FIELDS if field.widget == "password")
#: What runs: one of them is in every job, and a template need have none.
_WHAT_RUNS = ("JobSpec.Script", "JobSpec.CommandLine")


def _name(text: str) -> str:
    text = text.strip()
    if not text or len(text) > 100 or not text.isprintable():
        raise ValueError("a template's name has 1 to 100 characters, all of them printable")
    return text


TemplateName = Annotated[str, Field(examples=["one hour"]), AfterValidator(_name)]
TemplateFields = Annotated[
    dict[str, str],
    BeforeValidator(json_text),
    Field(
        examples=[{"ClusterId": "local", "JobSpec.WallTime": "1:00:00", "JobSpec.Script": "hostname"}],
        json_schema_extra={"propertyNames": {"enum": list(TEMPLATE_PATHS)}},
    ),
]


class Template(WireModel):
    """A named template."""

    name: TemplateName
    """1 to 100 printable characters."""
    fields: TemplateFields
    """What is filled in: a field's wire path and its value as text, as one would type it; Variables as their JSON array."""
    saved_time: int
    """When it was saved last, UNIX seconds."""


class ListTemplatesRequest(WireModel):
    """List the templates that were saved here."""


class ListTemplatesResponse(Answer):
    """All templates, by name."""

    success: str = "true"
    templates: tuple[Template, ...]


class SaveTemplateRequest(WireModel):
    """Save a template under a name, in place of the one that has the name already."""

    name: TemplateName
    """1 to 100 printable characters."""
    fields: TemplateFields
    """What is to be filled in: a field's wire path and its value as text. A password is refused."""


class SaveTemplateResponse(Answer):
    """It is saved."""

    success: str = "true"


class DeleteTemplateRequest(WireModel):
    """Forget a template."""

    name: TemplateName
    """As it is listed."""


class DeleteTemplateResponse(Answer):
    """It is forgotten."""

    success: str = "true"


def template_texts(fields: Mapping[str, Any]) -> dict[str, str]:
    """What a template may hold of these fields: those that are not empty, each in its one written form.

    A template need not be a whole job, but what is in it must be right: who loads it next month has forgotten what he meant.

    Raises:
        InvalidParams: all that is wrong, each with its path below ``Fields``.
    """
    given = {path: text for path, text in fields.items() if str(text).strip()}
    problems = [Problem(f"Fields.{path}", _not_kept(path)) for path in given if path not in TEMPLATE_PATHS]
    if (size := sum(len(path) + len(str(text).encode(errors="replace")) for path, text in given.items())) > (
        LARGEST_TEMPLATE
    ):
        problems.append(
            Problem("Fields", f"they have {size} bytes, {LARGEST_TEMPLATE} are the most; put the script into a file")
        )
    if problems:
        raise InvalidParams(*problems)
    added = {} if "ClusterId" in given else {"ClusterId": DEFAULT_CLUSTER}
    if not any(path in given for path in _WHAT_RUNS):
        added[_WHAT_RUNS[0]] = "true"
    try:
        request = CreateJobRequest.from_wire(body_of({**given, **added}))
    except InvalidParams as error:
        raise InvalidParams(*(Problem(f"Fields.{p.field}", p.message) for p in error.problems)) from None
    return {path: text for path, text in texts_of(request).items() if path not in added}


def _not_kept(path: str) -> str:
    if path in _SECRET_PATHS:
        return "a password is never kept in a template; type it when you submit"
    return f"there is no such field{did_you_mean(path, TEMPLATE_PATHS)}"
