"""Templates: what a form said, kept under a name for every notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ehpc_jupyter.errors import InvalidParams, Problem
from ehpc_jupyter.models import actions
from ehpc_jupyter.models.fields import fields_of
from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.notebook.asking import Asker
from ehpc_jupyter.notebook.display import moment
from ehpc_jupyter.notebook.listing import Listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SHORT = 40


class SavedTemplates(Asker):
    """The part of ``Client`` that is about templates."""

    def templates(self) -> Listing[actions.Template]:
        """The templates that were saved, for every notebook, as a list that shows itself as a table."""
        answer = self._ask("ListTemplates", actions.ListTemplatesRequest().to_wire(), actions.ListTemplatesResponse)
        return template_listing(answer.templates)

    def template(self, name: str) -> actions.Template:
        """The template of that name. Raises InvalidParams: there is none."""
        found = self.templates()
        for template in found:
            if template.name == name:
                return template
        hint = did_you_mean(name, [template.name for template in found])
        raise InvalidParams(Problem("Template", f"there is no template {name!r}{hint}"))

    def save_template(self, name: str, fields: Mapping[str, str]) -> None:
        """Save a template, in place of the one that has its name already.

        Args:
            name: 1 to 100 printable characters.
            fields: a field's wire path and its value as text: ``{"JobSpec.WallTime": "1:00:00"}``. It need not be a whole
                job.

        Raises:
            InvalidParams: a field does not exist, its value is wrong, or it is a password.
        """
        request = actions.SaveTemplateRequest.from_wire({"Name": name, "Fields": dict(fields)})
        self._ask("SaveTemplate", request.to_wire(), actions.SaveTemplateResponse)

    def delete_template(self, name: str) -> None:
        """Forget a template. Raises InvalidParams: there is none of that name."""
        request = actions.DeleteTemplateRequest.from_wire({"Name": name})
        self._ask("DeleteTemplate", request.to_wire(), actions.DeleteTemplateResponse)


def template_listing(templates: Sequence[actions.Template]) -> Listing[actions.Template]:
    """Templates as a table: the name, and what is filled in."""
    return Listing(
        templates,
        "Templates" if templates else "No templates; a form saves them",
        [
            ("template", lambda template: template.name),
            ("fills in", _filled),
            ("saved", lambda template: moment(template.saved_time)),
        ],
    )


def _filled(template: actions.Template) -> str:
    titles = {field.path: field.title for field in fields_of()}
    parts = []
    for path, text in template.fields.items():
        first, *more = text.splitlines() or [""]
        parts.append(f"{titles.get(path, path)}: {first[:_SHORT]}{' …' if more or len(first) > _SHORT else ''}")
    return ", ".join(parts)
