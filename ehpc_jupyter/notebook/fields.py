"""A job's fields as keywords: what ``Client.submit`` and ``JobForm`` take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ehpc_jupyter.models.actions import CreateJobRequest
from ehpc_jupyter.models.fields import SHORT_NAMES, JobField, body_of, fields_of, nested_model, texts_of, values_of
from ehpc_jupyter.models.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "SHORT_NAMES",
    "JobField",
    "body_of",
    "fields_of",
    "nested_model",
    "texts_of",
    "values_from_keywords",
    "values_of",
]


def values_from_keywords(
    keywords: Mapping[str, Any], caller: str, request: type[CreateJobRequest] = CreateJobRequest
) -> dict[str, Any]:
    """Keywords such as ``wall_time="1:00:00", nodes=2, resources=Resources(cores=4)`` as values by wire path.

    ``None`` means "not given".

    Raises:
        TypeError: a keyword is no field of a job; the message names the nearest one.
    """
    by_name = {field.name: field for field in fields_of(request)}
    values: dict[str, Any] = {}
    for name, value in keywords.items():
        field = by_name.get(name)
        if field is None:
            raise TypeError(f"{caller}() got an unexpected keyword {name!r}{did_you_mean(name, by_name)}")
        if value is None:
            continue
        if not field.is_group:
            values[field.path] = value
        elif isinstance(value, BaseModel):
            for path, part in values_of(value, f"{field.path}.").items():
                values.setdefault(path, part)
        elif isinstance(value, dict):
            values.update(_parts(field, value, by_name))
        else:
            raise TypeError(f"{caller}() takes {name} as a dict or a model, not as {type(value).__name__}")
    return values


def _parts(group: JobField, value: Mapping[str, Any], by_name: Mapping[str, JobField]) -> dict[str, Any]:
    """A group given as a dictionary, with Python or wire names; an unknown name is left for the model to refuse."""
    return {
        by_name[name].path if name in by_name else f"{group.path}.{name}": part
        for name, part in value.items()
        if part is not None
    }
