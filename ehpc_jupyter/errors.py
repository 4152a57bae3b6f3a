"""Every way an action can fail, one class per row of the E-HPC API's error table.

Source of codes, HTTP statuses and first sentences: the API page of CreateJob (2024-07-30), table "Error codes".
Rows that the page lacks and a server needs (no such job, not allowed, no such action) stand below the table's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from ehpc_jupyter.tracebacks import short

_PROBLEM_LINE = re.compile(r"^The specified parameter (?P<field>\S+) is invalid: (?P<message>.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request, and the field it belongs to.

    Attributes:
        field: wire path of the field, for instance ``JobSpec.WallTime``.
        message: what is wrong with it and what to do, one line.
    """

    field: str
    message: str

    def __str__(self) -> str:
        return f"The specified parameter {self.field} is invalid: {' '.join(self.message.split())}"


class EhpcError(Exception):
    """Base of all errors that reach a user.

    Attributes:
        http_status: the HTTP status of the answer.
        code: the API's error code.
        summary: the table's own sentence; the detail follows it.
        transient: whether the same call may succeed later without a change.
    """

    http_status: ClassVar[int] = 406
    code: ClassVar[str] = "AgentError"
    summary: ClassVar[str] = "The agent service request failed"
    transient: ClassVar[bool] = False

    def __init__(self, detail: str, *, recommend: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.recommend = recommend
        self.request_id = ""

    @property
    def message(self) -> str:
        """The API's ``Message``: the table's sentence, then the detail."""
        return f"{self.summary}: {self.detail}" if self.detail else f"{self.summary}."

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def told(self, words: str | None = None) -> str:
        """The same for people: what is wrong, what to do, and last the code and the request's id, by which a log is searched.

        Args:
            words: what is wrong, as it is said where it is shown; ``message`` if None.
        """
        request = f", RequestId {self.request_id}" if self.request_id else ""
        what = self.message if words is None else words
        return "\n".join(part for part in (what, self.recommend, f"{self.code}{request}") if part)

    def _render_traceback_(self) -> list[str]:
        return short(self, self.told())


class InvalidParams(EhpcError):
    """400: one or more fields are wrong; the message has a line for each."""

    http_status = 400
    code = "InvalidParams"
    summary = "The specified parameter is invalid"

    def __init__(self, *problems: Problem, recommend: str = "") -> None:
        super().__init__("\n".join(str(problem) for problem in problems), recommend=recommend)
        self.problems = problems

    @property
    def message(self) -> str:
        """One line a problem, each naming its field."""
        return self.detail


class InvalidClusterStatus(EhpcError):
    """403: the cluster takes no such operation now."""

    http_status = 403
    code = "InvalidClusterStatus"
    summary = "The operation failed due to invalid cluster status"


class ClusterNotFound(EhpcError):
    """404: no cluster of that name is configured."""

    http_status = 404
    code = "ClusterNotFound"
    summary = "The specified cluster does not exist"


class EcsError(EhpcError):
    """406: the cloud below the cluster failed."""

    code = "EcsError"
    summary = "An error occurred while calling the ECS API operation"


class AgentError(EhpcError):
    """406: the cluster could not do what was asked; the detail is its own words."""


class SubmitFailure(AgentError):
    """406: the scheduler refused the job; nothing was submitted."""

    code = "AgentError.Job.SubmitFailure"
    summary = "Failed to submit jobs"


class DeleteFailure(AgentError):
    """406: a job could not be deleted."""

    code = "AgentError.Job.DeleteFailure"
    summary = "Failed to delete job"


class InvalidContainerType(AgentError):
    """406: a container type that the cluster does not know."""

    code = "AgentError.Job.InvalidContainerType"
    summary = "Unsupported container type"


class ListFailure(AgentError):
    """406: the scheduler could not say which jobs there are."""

    code = "AgentError.Job.ListFailure"
    summary = "Failed to list jobs"


class RerunFailure(AgentError):
    """406: a job could not be run again."""

    code = "AgentError.Job.RerunFailure"
    summary = "Failed to run the job again"


class StopFailure(AgentError):
    """406: a job could not be stopped."""

    code = "AgentError.Job.StopFailure"
    summary = "Failed to stop jobs"


class ServiceUnavailable(EhpcError):
    """503: the cluster cannot be reached or does not answer; trying again makes sense."""

    http_status = 503
    code = "ServiceUnavailable"
    summary = "The request has failed due to a temporary failure of the server"
    transient = True


# Below: rows of our own, in the same shape.


class JobNotFound(EhpcError):
    """404: no such job is known on that cluster."""

    http_status = 404
    code = "JobNotFound"
    summary = "The specified job does not exist"


class Forbidden(EhpcError):
    """403: Jupyter's authentication, authorisation or XSRF check refused the request."""

    http_status = 403
    code = "Forbidden"
    summary = "The request was refused"


class ActionNotFound(EhpcError):
    """404: the path names no action."""

    http_status = 404
    code = "InvalidAction.NotFound"
    summary = "The specified action does not exist"


class MethodNotAllowed(EhpcError):
    """405: actions are called with POST."""

    http_status = 405
    code = "UnsupportedHTTPMethod"
    summary = "This HTTP method is not supported"


class InternalError(EhpcError):
    """500: a fault of ours; the server's log has the traceback beside the request id."""

    http_status = 500
    code = "InternalError"
    summary = "The request processing has failed due to some unknown error"


class NoSuchVersion(EhpcError):
    """400: another version of the API than this one."""

    http_status = 400
    code = "NoSuchVersion"
    summary = "The specified version does not exist"


class SignatureDoesNotMatch(EhpcError):
    """403: the signature is not the one that the key's secret makes of this request."""

    http_status = 403
    code = "SignatureDoesNotMatch"
    summary = "The request signature does not conform to the server's own"


class InvalidAccessKeyId(EhpcError):
    """404: nobody has this access key."""

    http_status = 404
    code = "InvalidAccessKeyId.NotFound"
    summary = "The specified access key is not found"


class IncompleteSignature(EhpcError):
    """400: a part of the signature is missing or cannot be read."""

    http_status = 400
    code = "IncompleteSignature"
    summary = "The request signature is incomplete"


class SignatureNonceUsed(EhpcError):
    """400: the request came before; each is taken once."""

    http_status = 400
    code = "SignatureNonceUsed"
    summary = "The signature nonce has been used"


class IllegalTimestamp(EhpcError):
    """400: the request is from another time."""

    http_status = 400
    code = "IllegalTimestamp"
    summary = "The date of the request is not within 15 minutes of the server's"


class NoPermission(EhpcError):
    """403: the configured policy denies this action."""

    http_status = 403
    code = "NoPermission"
    summary = "You are not authorized to perform the operation"


class Throttling(EhpcError):
    """429: too many requests; the header ``x-acs-retry-after`` says in how many milliseconds to come again.

    Attributes:
        retry_after_ms: at least 1 (milliseconds are what the official SDK sleeps in).
    """

    http_status = 429
    code = "Throttling.User"
    summary = "The request was denied due to user flow control"
    transient = True

    def __init__(self, detail: str, *, recommend: str = "", retry_after_ms: int = 1000) -> None:
        super().__init__(detail, recommend=recommend or f"Try again in {retry_after_ms} ms.")
        self.retry_after_ms = retry_after_ms


#: The API page's own table, in its order.
TABLE: tuple[type[EhpcError], ...] = (
    InvalidParams,
    InvalidClusterStatus,
    ClusterNotFound,
    EcsError,
    AgentError,
    SubmitFailure,
    DeleteFailure,
    InvalidContainerType,
    ListFailure,
    RerunFailure,
    StopFailure,
    ServiceUnavailable,
)

#: Every error that an action may answer, the API page's rows first.
ERRORS: tuple[type[EhpcError], ...] = (
    *TABLE,
    JobNotFound,
    Forbidden,
    ActionNotFound,
    MethodNotAllowed,
    InternalError,
    NoSuchVersion,
    SignatureDoesNotMatch,
    InvalidAccessKeyId,
    IncompleteSignature,
    SignatureNonceUsed,
    IllegalTimestamp,
    NoPermission,
    Throttling,
)
_BY_CODE: dict[str, type[EhpcError]] = {cls.code: cls for cls in ERRORS}


def parse_problems(message: str) -> tuple[Problem, ...]:
    """The problems in an ``InvalidParams`` message, one a line, as ``InvalidParams`` wrote them."""
    return tuple(Problem(m["field"], m["message"]) for m in _PROBLEM_LINE.finditer(message))


def from_body(body: dict[str, object], http_status: int, *, retry_after_ms: str = "") -> EhpcError:
    """The error that an answer's JSON body stands for (the inverse of the server's writing it).

    Args:
        body: the decoded JSON of the answer; anything without ``Code`` becomes ``AgentError``.
        http_status: the answer's status, named when the body says nothing better.
        retry_after_ms: the answer's header ``x-acs-retry-after``; empty if it had none.
    """
    code, message = str(body.get("Code", "")), str(body.get("Message") or body.get("message") or f"HTTP {http_status}")
    cls = _BY_CODE.get(code, AgentError)
    error: EhpcError
    if cls is InvalidParams:
        error = InvalidParams(*(parse_problems(message) or (Problem("request", message),)))
    else:
        detail = "" if message == f"{cls.summary}." else message.removeprefix(f"{cls.summary}: ")
        error = cls(detail, recommend=str(body.get("Recommend") or ""))
    if isinstance(error, Throttling) and retry_after_ms.isdecimal():
        error.retry_after_ms = max(1, int(retry_after_ms))
    error.request_id = str(body.get("RequestId") or "")
    return error
