"""What all models share: Python names are the official SDK's snake_case, wire names the API's PascalCase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_pascal

from ehpc_jupyter.errors import InvalidParams, Problem
from ehpc_jupyter.models.suggest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self


class WireModel(BaseModel):
    """A frozen model that is JSON on the wire; field docstrings are its help everywhere."""

    model_config = ConfigDict(
        alias_generator=to_pascal,
        populate_by_name=True,
        use_attribute_docstrings=True,
        extra="forbid",
        frozen=True,
        field_title_generator=lambda name, _: name.replace("_", " ").capitalize(),
        hide_input_in_errors=True,  # an input may be a password
    )

    @classmethod
    def from_wire(cls, body: Mapping[str, Any], *, prefix: str = "") -> Self:
        """Read a request or an answer.

        Args:
            body: decoded JSON, wire names (Python names are taken too).
            prefix: put before every field's path in messages, for instance ``JobSpec.``.

        Raises:
            InvalidParams: with every problem at once, each with its field.
        """
        try:
            return cls.model_validate(body)
        except ValidationError as error:
            raise InvalidParams(*problems_of(error, cls, prefix)) from None

    def to_wire(self) -> dict[str, Any]:
        """JSON-ready dictionary with wire names; what is unknown is left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


#: The validator's own words, said as the rest of our messages are.
_PLAIN = (
    ("Input should be ", "it should be "),
    ("greater than or equal to", "at least"),
    ("less than or equal to", "at most"),
    ("a valid integer, unable to parse string as an integer", "a whole number"),
    ("a valid integer", "a whole number"),
    ("a valid string", "a text"),
)


def problems_of(error: ValidationError, cls: type[BaseModel], prefix: str = "") -> list[Problem]:
    """A validation error as problems, each with its wire path and a sentence that says what to do."""
    found: list[Problem] = []
    for item in error.errors(include_url=False, include_input=False):
        names, model = _wire_path(item["loc"], cls)
        path = prefix + (".".join(names) or cls.__name__)
        found.append(Problem(path, _sentence(item["type"], item["msg"], names[-1] if names else "", model)))
    return found


def _wire_path(loc: tuple[int | str, ...], cls: type[BaseModel]) -> tuple[list[str], type[BaseModel] | None]:
    names: list[str] = []
    model: type[BaseModel] | None = cls
    owner: type[BaseModel] | None = cls
    for part in loc:
        if isinstance(part, int):
            names.append(str(part))
            continue
        owner = model
        field = None
        if model is not None:
            field = model.model_fields.get(part) or next(
                (f for f in model.model_fields.values() if f.alias == part), None
            )
        if field is None:
            if model is not None:
                names.append(part)
            model = None
            continue
        names.append(field.alias or part)
        model = _nested(field.annotation)
    return names, owner


def _nested(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _sentence(kind: str, text: str, name: str, model: type[BaseModel] | None) -> str:
    if kind == "missing":
        return "it is required"
    if kind == "extra_forbidden":
        known = [f.alias or n for n, f in model.model_fields.items()] if model else []
        return f"there is no such parameter{did_you_mean(name, known)}"
    for words, plain in _PLAIN:
        text = text.replace(words, plain)
    return text.removeprefix("Value error, ").removeprefix("Assertion failed, ")
