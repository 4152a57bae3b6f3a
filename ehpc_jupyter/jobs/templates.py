"""Templates: their table in the store's file, and the actions about them, one function each."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from ehpc_jupyter.errors import InvalidParams, Problem
from ehpc_jupyter.models import actions
from ehpc_jupyter.models.suggest import did_you_mean
from ehpc_jupyter.models.templates import MOST_TEMPLATES, template_texts

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from ehpc_jupyter.jobs.sites import Sites


class TemplateTable:
    """The table ``templates``. Safe to use from several threads and processes: each call is one statement.

    Args:
        db: the store's file.
        lock: held while it is used.
    """

    def __init__(self, db: sqlite3.Connection, lock: AbstractContextManager[object]) -> None:
        self._db = db
        self._lock = lock

    def all(self) -> list[actions.Template]:
        """All of them, by name."""
        with self._lock:
            rows = self._db.execute("SELECT name, fields, saved_time FROM templates").fetchall()
        # Not validated: what an earlier version saved is shown as it is, so that it can be seen and mended.
        found = [actions.Template.model_construct(name=n, fields=json.loads(f), saved_time=t) for n, f, t in rows]
        return sorted(found, key=lambda template: (template.name.casefold(), template.name))

    def save(self, name: str, fields: Mapping[str, str]) -> bool:
        """Put one in, in place of the one of that name. Returns whether there was room for it."""
        with self._lock:
            done = self._db.execute(
                "INSERT INTO templates SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM templates WHERE name = ?1)"
                " OR (SELECT count(*) FROM templates) < ?4"
                " ON CONFLICT (name) DO UPDATE SET fields = excluded.fields, saved_time = excluded.saved_time",
                (name, json.dumps(fields, ensure_ascii=False), int(time.time()), MOST_TEMPLATES),
            )
        return done.rowcount > 0

    def delete(self, name: str) -> bool:
        """Take one out. Returns whether there was one."""
        with self._lock:
            return self._db.execute("DELETE FROM templates WHERE name = ?", (name,)).rowcount > 0


def list_templates(sites: Sites, _request: actions.ListTemplatesRequest) -> actions.ListTemplatesResponse:
    """ListTemplates: from the store."""
    return actions.ListTemplatesResponse.model_construct(templates=tuple(sites.store.templates.all()))


def save_template(sites: Sites, request: actions.SaveTemplateRequest) -> actions.SaveTemplateResponse:
    """SaveTemplate: what is wrong in it is refused now and not when it is loaded."""
    fields = template_texts(request.fields)
    if not fields:
        raise InvalidParams(Problem("Fields", "nothing is filled in, so there is nothing to save"))
    if not sites.store.templates.save(request.name, fields):
        raise InvalidParams(Problem("Name", f"there are {MOST_TEMPLATES} templates, the most; delete one first"))
    return actions.SaveTemplateResponse()


def delete_template(sites: Sites, request: actions.DeleteTemplateRequest) -> actions.DeleteTemplateResponse:
    """DeleteTemplate: from the store."""
    if not sites.store.templates.delete(request.name):
        known = [template.name for template in sites.store.templates.all()]
        raise InvalidParams(
            Problem("Name", f"there is no template {request.name!r}{did_you_mean(request.name, known)}")
        )
    return actions.DeleteTemplateResponse()
