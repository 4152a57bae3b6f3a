"""A check that schemathesis loads: what keeps the schema's rules is carried out, or refused for what no schema says."""

from __future__ import annotations

import schemathesis
from schemathesis import GenerationMode

from ehpc_jupyter.errors import EhpcError, InvalidParams, JobNotFound, from_body
from ehpc_jupyter.jobs.actions_table import ACTIONS

#: Fields refused for what stands elsewhere: in another field (CommandLine or Script), in the job (its tasks), nowhere (Diagnosis).
ELSEWHERE = {"JobSpec.CommandLine", "JobSpec.Script", "JobSpec.Resources", "TaskId", "JobFilter.Diagnosis"}


@schemathesis.check
def refused_for_a_reason(ctx, response, case):
    """See the module."""
    if case.meta.generation.mode is not GenerationMode.POSITIVE or response.status_code < 300:
        return
    action = case.operation.path.strip("/")
    fields = case.body if isinstance(case.body, dict) else case.query
    assert isinstance(fields, dict)
    error = from_body(response.json(), response.status_code)
    assert error.http_status == response.status_code
    assert _is_explained(action, fields, error), f"{action} of {fields!r} was refused: {error}"


def _is_explained(action: str, fields: dict, error: EhpcError) -> bool:
    if isinstance(error, InvalidParams):
        # What a text must look like beyond being a text is told in words.
        return all(problem.field in ELSEWHERE or _is_text(fields, problem.field) for problem in error.problems)
    names_jobs = {"job_id", "job_ids"} & set(ACTIONS[action].request.model_fields)
    if isinstance(error, JobNotFound):
        return bool(names_jobs)
    # A job that is not in the state for it.
    return bool(names_jobs) and ACTIONS[action].access == "write" and error.code.startswith("AgentError")


def _is_text(fields: dict, path: str) -> bool:
    value: object = fields
    for name in path.split("."):
        if isinstance(value, str):  # a list or an object sent as text
            return True
        value = value[int(name)] if isinstance(value, list) else value.get(name) if isinstance(value, dict) else None
    # To JSON schema 1.0 is a whole number, too; where a text is meant it is none.
    return any(isinstance(item, (str, float)) for item in (value if isinstance(value, list) else [value]))
