"""The one place where JSON bodies, RPC queries and form bodies become a request's fields. Pure.

=====================  ==============================================  ==========================
form                   action                                          fields
=====================  ==============================================  ==========================
``ehpc/<Action>``      in the path                                     JSON body
RPC, signed by ACS3    header ``x-acs-action``                         query (values may be JSON)
RPC, HMAC-SHA1         parameter ``Action``                            query and form body
=====================  ==============================================  ==========================

They may be mixed (``ehpc/<Action>`` with a query is fine); what contradicts itself is refused.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ehpc_jupyter.errors import ActionNotFound, InvalidParams, NoSuchVersion, Problem
from ehpc_jupyter.server.signature import parameters

if TYPE_CHECKING:
    from ehpc_jupyter.server.signature import Sent

VERSION = "2024-07-30"
#: Actions that the official SDK calls with GET; all others take POST only.
GET_ACTIONS = frozenset(["ListUsers"])
#: Parameters about the request itself: the RPC form's, and Jupyter's own in lower case.
_COMMON = frozenset(
    [
        "Action",
        "Version",
        "Format",
        "Timestamp",
        "AccessKeyId",
        "SecurityToken",
        "BearerToken",
        "RegionId",
        "Signature",
        "SignatureNonce",
        "SignatureMethod",
        "SignatureVersion",
        "SignatureType",
        "token",
        "_xsrf",
        "no_track_activity",
    ]
)
#: JupyterLab appends the time to a URL, ``?1723802000000``, against caches.
_CACHE_BUSTER = re.compile(r"[0-9]+")


def action_of(sent: Sent, path_action: str | None) -> str:
    """Which action a request names.

    Args:
        sent: the request.
        path_action: the action in its path, if any.

    Raises:
        ActionNotFound: none.
        InvalidParams: more than one.
        NoSuchVersion: it wants another version of the API.
    """
    values = parameters(sent.query) + _form(sent)
    version = {sent.headers.get("x-acs-version", VERSION), *(value for name, value in values if name == "Version")}
    if version - {VERSION}:
        raise NoSuchVersion(f"{sorted(version - {VERSION})[0]!r}; it is {VERSION}")
    named = {path_action, sent.headers.get("x-acs-action"), *(value for name, value in values if name == "Action")}
    named.discard(None)
    if not named:
        raise ActionNotFound(
            "the request names none; send POST ehpc/<Action>, the header x-acs-action or the parameter Action"
        )
    if len(named) > 1:
        words = ", ".join(sorted(name for name in named if name))
        raise InvalidParams(Problem("Action", f"path, header and parameters name different actions: {words}"))
    return str(named.pop())


def check_size(sent: Sent, max_body: int, max_query: int) -> None:
    """Refuse what is too large before anything is made of it: to hash half a gigabyte would hold up everybody.

    Args:
        sent: the request.
        max_body: bytes.
        max_query: bytes.

    Raises:
        InvalidParams: it is too large.
    """
    for what, size, most in (("body", len(sent.body), max_body), ("query", len(sent.query), max_query)):
        if size > most:
            hint = "put large input into a file on the cluster" if what == "body" else "send the fields in a JSON body"
            raise InvalidParams(Problem("request", f"its {what} has {size} bytes, {most} are the most; {hint}"))


def fields_of(sent: Sent) -> dict[str, Any]:
    """A request's fields by wire name; JSON within strings is left to the models.

    Raises:
        InvalidParams: it is no JSON object, or says something twice.
    """
    fields = {} if sent.form else _json(sent.body)
    for name, value in parameters(sent.query) + _form(sent):
        if name in _COMMON or (_CACHE_BUSTER.fullmatch(name) and not value):
            continue
        if name in fields:
            raise InvalidParams(Problem(name, "it is given twice"))
        fields[name] = value
    return fields


def is_form(content_type: str, body: bytes) -> bool:
    """Whether a body is a form. ``curl -d '{…}'`` calls JSON a form unless told otherwise: a form never starts so."""
    named = content_type.partition(";")[0].strip().lower()
    return named == "application/x-www-form-urlencoded" and not body.lstrip().startswith((b"{", b"["))


def _form(sent: Sent) -> list[tuple[str, str]]:
    return parameters(sent.body.decode("utf-8", "replace")) if sent.form else []


def _json(body: bytes) -> dict[str, Any]:
    if not body.strip():
        return {}
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidParams(Problem("request", f"its body is no JSON: {error}")) from None
    if not isinstance(fields, dict):
        raise InvalidParams(Problem("request", "its body is no JSON object"))
    return fields
