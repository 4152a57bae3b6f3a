"""Keeps out of every log line what travels in a query (the official SDK sends ``RunasUserPassword`` there), and the configuration's
secrets, which Jupyter writes with all other settings at DEBUG ("Config changed")."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Callable

_QUERY = re.compile(r"\?\S*")
#: A query that holds one of these is hidden as a whole: cutting out values would trust that everybody encodes alike.
#: Not ``token``: Jupyter prints the address to open with it, and scrubs it elsewhere.
_SECRET = re.compile(r"jobspec|password|bearertoken|securitytoken", re.IGNORECASE)
_LONGEST = 16 * 1024
#: As Python writes a dictionary.
_SETTING = re.compile(
    r"""(?P<name>['"](?:access_keys|password|RunasUserPassword)['"]: )(?:\{[^{}]*\}|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
)


class RedactedRecords:
    """Makes log records, for all loggers of the process.

    Jupyter's own scrubbing (jupyter_server.log) knows ``token`` and not this API's names; a filter would have to sit on the
    loggers of Tornado, of Jupyter and of each other extension (LabApp logs what is refused below /lab with its query), also of
    those that are loaded later.

    Args:
        make: the factory that was there.
    """

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        """A record whose text is clean."""
        record = self._make(*args, **kwargs)
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # a mistake in somebody's logging call: logging itself reports it
            return record
        clean = redacted(message)
        if clean != message:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0]:
            text = logging.Formatter().formatException(record.exc_info)
            if redacted(text) != text:
                record.exc_text = redacted(text)
        return record


def redacted(text: str) -> str:
    """A text with the queries and the settings hidden that may hold a secret."""
    text = _QUERY.sub(_hide, text) if "?" in text else text
    return _SETTING.sub(r"\g<name>'[hidden]'", text) if "': " in text or '": ' in text else text


def _hide(match: re.Match[str]) -> str:
    # Twice: a query within a query's value (Referer, next=) is encoded once more.
    # A very long one would only fill the log.
    return "?[hidden]" if len(match[0]) > _LONGEST or _SECRET.search(unquote_plus(unquote_plus(match[0]))) else match[0]


def install() -> None:
    """From now on, once for the process."""
    make = logging.getLogRecordFactory()
    if not isinstance(make, RedactedRecords):
        logging.setLogRecordFactory(RedactedRecords(make))
