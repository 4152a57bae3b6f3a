"""OpenAPI 3.1 of all actions, made from the table of actions and the models. Pure."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic.json_schema import models_json_schema

from ehpc_jupyter.errors import ERRORS, InvalidParams, Problem
from ehpc_jupyter.jobs.actions_table import ACTIONS
from ehpc_jupyter.models.base import WireModel
from ehpc_jupyter.server.parameters import GET_ACTIONS, VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ehpc_jupyter.errors import EhpcError
    from ehpc_jupyter.jobs.actions_table import Action

_REF = "#/components/schemas/{model}"
#: Examples for the fields that have none of their own.
_EXAMPLES: dict[str, Any] = {"ClusterId": "local", "JobId": "10", "JobIds": ["10"]}
_INTRODUCTION = (
    "The E-HPC API's actions about jobs, served by Jupyter. Fields are the API's own; those marked as extensions are not in it. "
    "Each action is also called in the RPC style of the official SDK: POST to the server's address itself, with the header "
    "x-acs-action and the fields in the query, lists and objects as JSON text."
)
_SECURITY: dict[str, dict[str, str]] = {
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`token <Jupyter's token>`",
    },
    "bearer": {
        "type": "apiKey",
        "in": "header",
        "name": "x-acs-bearer-token",
        "description": "Jupyter's token, as the official SDK sends a bearer token.",
    },
    "signature": {
        "type": "http",
        "scheme": "ACS3-HMAC-SHA256",
        "description": "As the official SDK signs; access key id `jupyter` with Jupyter's token as secret, or one of the "
        "configuration's.",
    },
}


def document(clusters: Sequence[str], server: str) -> dict[str, Any]:
    """The description.

    Args:
        clusters: names of the configured clusters.
        server: address of the API, without a slash at its end.
    """
    made = _fixed()
    schemas = dict(made["components"]["schemas"])
    schemas["ClusterId"] = {"type": "string", "enum": list(clusters), "description": "The cluster's name."}
    return {**made, "servers": [{"url": server}], "components": {**made["components"], "schemas": schemas}}


@functools.cache
def _fixed() -> dict[str, Any]:
    schemas = _schemas()
    schemas["Error"] = _error_schema()
    return {
        "openapi": "3.1.0",
        "info": {"title": "E-HPC API in Jupyter", "version": VERSION, "description": _INTRODUCTION},
        "servers": [],
        "security": [{name: []} for name in _SECURITY],
        "paths": {f"/{name}": _path(name, action, schemas) for name, action in ACTIONS.items()},
        "components": {"schemas": schemas, "securitySchemes": _SECURITY, "responses": _responses()},
    }


def _schemas() -> dict[str, Any]:
    wanted: list[tuple[Any, Any]] = []
    for action in ACTIONS.values():
        wanted += [(action.request, "validation"), (action.response, "serialization")]
    _, made = models_json_schema(wanted, by_alias=True, ref_template=_REF)
    schemas: dict[str, Any] = made["$defs"]
    for schema in schemas.values():
        _plain(schema)
    models = {model.__name__: model for model in _subclasses(WireModel)}
    requests = {action.request.__name__ for action in ACTIONS.values()}
    for name in requests.union(*(_within(schemas[name], schemas) for name in requests)):
        properties = schemas[name].get("properties", {})
        for field, schema in properties.items():
            properties[field] = _as_sent(schema, functools.partial(_takes, models[name], field))
        if "ClusterId" in properties:
            properties["ClusterId"] = {"$ref": "#/components/schemas/ClusterId"}
    return schemas


def _subclasses(model: type[WireModel]) -> list[type[WireModel]]:
    return [model, *(found for child in model.__subclasses__() for found in _subclasses(child))]


def _within(schema: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    """The models of the objects in a request, at any depth."""
    found: set[str] = set()
    for field in schema.get("properties", {}).values():
        for kind in (field, *field.get("anyOf", []), field.get("items", {})):
            name = str(kind.get("$ref", "")).rpartition("/")[2]
            if name in schemas and name not in found:
                found |= {name} | _within(schemas[name], schemas)
    return found


def _takes(model: type[WireModel], field: str, value: Any) -> bool:
    """Whether a model takes a value for a field: validators can be asked, and their schema does not say."""
    try:
        model.model_validate({field: value})
    except ValidationError as error:
        return all(item["loc"][:1] != (field,) for item in error.errors(include_url=False, include_input=False))
    return True


def _plain(schema: dict[str, Any]) -> None:
    """Leave out what is for forms only."""
    for item in schema.get("properties", {}).values():
        item.pop("x-ehpc", None)
        if item.get("format") == "password":
            item.pop("writeOnly", None)


def _as_sent(schema: dict[str, Any], takes: Callable[[Any], bool]) -> dict[str, Any]:
    """A request's field as it may come: numbers, lists and objects also as text, as the RPC style sends them.

    Args:
        schema: as the model has it.
        takes: whether the field takes a value.
    """
    kept: dict[str, Any] = {
        name: schema[name] for name in ("title", "description", "default", "examples") if name in schema
    }
    inner = {name: value for name, value in schema.items() if name not in kept}
    if inner.get("maxItems") == 0:  # a list that is always empty: any empty value is taken for it
        return kept
    kinds = list(inner.get("anyOf", [inner]))
    types = {kind.get("type", "object" if "$ref" in kind else None) for kind in kinds}
    for kind in kinds:
        if kind.get("type") == "array":  # a length that is asked of text, too, stands here under the text's name
            kind |= {
                name.replace("Length", "Items"): kind.pop(name) for name in ("minLength", "maxLength") if name in kind
            }
    if "integer" in types:
        kinds.append({"type": "string", "pattern": "^[0-9]+$"})
    elif "boolean" in types:
        kinds.append({"type": "string", "enum": ["true", "false"]})
    elif types & {"array", "object"}:
        kinds.append(
            {"type": "string", "contentMediaType": "application/json", "description": "The same as JSON text."}
        )
    if "null" not in types and takes(None):
        kinds.append({"type": "null"})
    if "integer" not in types and takes(1):
        kinds.append(_integers(takes))
    return {**kept, "anyOf": kinds} if len(kinds) > 1 else schema


def _integers(takes: Callable[[Any], bool]) -> dict[str, Any]:
    """Which whole numbers a field takes that is none itself: a truth value's, a text's."""
    if not takes(2):
        return {"type": "integer", "enum": [0, 1]}
    limits = {} if takes(-1) else {"minimum": 0 if takes(0) else 1}
    most = next((10**digits - 1 for digits in range(20, 0, -1) if takes(10**digits - 1)), None)
    return {"type": "integer", **limits, **({} if takes(10**30) or most is None else {"maximum": most})}


def _path(name: str, action: Action, schemas: dict[str, Any]) -> dict[str, Any]:
    request, response = action.request, action.response
    words = {
        "summary": _words(request),
        "tags": [action.access],
    }
    answers = {
        "200": {
            "description": _words(response),
            "content": {"application/json": {"schema": {"$ref": _REF.format(model=response.__name__)}}},
        },
        **{str(status): {"$ref": f"#/components/responses/Error{status}"} for status in _statuses()},
    }
    body = {
        "required": bool(schemas[request.__name__].get("required")),
        "content": {
            "application/json": {
                "schema": {"$ref": _REF.format(model=request.__name__)},
                "example": example(schemas[request.__name__], schemas),
            }
        },
    }
    path: dict[str, Any] = {"post": {"operationId": name, **words, "requestBody": body, "responses": answers}}
    if name in GET_ACTIONS:
        own = schemas[request.__name__]
        query = [
            {"name": field, "in": "query", "required": field in own.get("required", []), "schema": schema}
            for field, schema in own["properties"].items()
        ]
        path["get"] = {"operationId": f"{name}ByGet", **words, "parameters": query, "responses": answers}
    return path


def example(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """An example of an object: its fields' own examples; a field without one is left out unless it is required."""
    made: dict[str, Any] = {}
    for name, field in schema.get("properties", {}).items():
        if field.get("examples"):
            made[name] = field["examples"][0]
        elif name in schema.get("required", []):
            nested = _nested(field, schemas)
            made[name] = _EXAMPLES[name] if name in _EXAMPLES else example(nested, schemas) if nested else "text"
        elif (nested := _nested(field, schemas)) and any("examples" in item for item in nested["properties"].values()):
            made[name] = example(nested, schemas)
    return made


def _nested(field: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any] | None:
    for kind in (field, *field.get("anyOf", [])):
        found = schemas.get(str(kind.get("$ref", "")).rpartition("/")[2])
        if found and "properties" in found:
            return dict(found)
    return None


def _statuses() -> list[int]:
    return sorted({error.http_status for error in ERRORS})


def _error_schema() -> dict[str, Any]:
    fields = {
        "RequestId": "The request's id, also in the server's log.",
        "HostId": "The server's name.",
        "Code": "What failed, for programs.",
        "Message": "What failed and what to do, for people; of InvalidParams a line for each field.",
        "Recommend": "Further advice; may be empty.",
    }
    properties: dict[str, Any] = {name: {"type": "string", "description": text} for name, text in fields.items()}
    properties["Code"]["enum"] = [error.code for error in ERRORS]
    return {"type": "object", "properties": properties, "required": list(fields), "additionalProperties": False}


def _responses() -> dict[str, Any]:
    made: dict[str, Any] = {}
    for status in _statuses():
        rows = [error for error in ERRORS if error.http_status == status]
        samples = {error.code: {"summary": _first(error), "value": _sample(error)} for error in rows}
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}, "examples": samples}}
        made[f"Error{status}"] = {"description": ", ".join(error.code for error in rows), "content": content}
    made["Error429"]["headers"] = {
        "x-acs-retry-after": {"description": "Milliseconds to wait.", "schema": {"type": "integer", "minimum": 1}}
    }
    return made


def _words(model: type[WireModel]) -> str:
    return (model.__doc__ or model.__name__).strip().splitlines()[0]


def _first(error: type[EhpcError]) -> str:
    return (error.__doc__ or "").strip().partition(": ")[2].splitlines()[0]


def _sample(error: type[EhpcError]) -> dict[str, str]:
    message = f"{error.summary}: …"
    if error is InvalidParams:
        message = str(Problem("JobSpec.WallTime", "'soon' is no wall time; write hours:minutes:seconds"))
    return {
        "RequestId": "A0A38A38-1565-555E-B597-E48A2E000000",
        "HostId": "127.0.0.1:8888",
        "Code": error.code,
        "Message": message,
        "Recommend": "",
    }
