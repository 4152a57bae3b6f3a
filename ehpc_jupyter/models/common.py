"""What the requests and answers of all actions share."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BeforeValidator

from ehpc_jupyter.models.base import WireModel

#: The cluster that is always there.
DEFAULT_CLUSTER = "local"


def json_text(value: Any) -> Any:
    """Lists and objects come as JSON strings in the API's RPC form, as themselves in a JSON body."""
    if isinstance(value, str) and value.strip().startswith(("[", "{")):
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"it is no JSON: {error}") from None
    return value


def one_or_many(value: Any) -> Any:
    """A list, as JSON text or as itself; a single text is a list of one."""
    value = json_text(value)
    return [value] if isinstance(value, str) else value


Names = Annotated[tuple[str, ...], BeforeValidator(one_or_many)]


class Answer(WireModel):
    """What every answer holds."""

    request_id: str = ""
    """The id of the request, also in the server's log."""


class ResourceTexts(WireModel):
    """Resources in the API's answers: numbers as text."""

    nodes: str | None = None
    """Nodes in all."""
    cores: str | None = None
    """Cores on each node."""
    memory: str | None = None
    """Memory on each node, `1536MB`."""
    gpus: str | None = None
    """GPUs on each node."""
