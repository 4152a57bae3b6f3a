"""What a saved notebook keeps of where a job's output came from: the output's metadata under the key ``ehpc``.

The keys are the API's wire names: ``ClusterId``, ``JobId``, ``RequestId``, ``SubmitTime`` (ISO 8601, UTC), ``ScriptSha256``
(of the script's text as submitted, UTF-8), ``Request`` (that of CreateJob, without secrets; of a job that another kernel
submitted, what the server tells of it), ``Folder``, ``StdoutPath``, ``StderrPath``, ``RerunOf``. What is not known is absent.
JupyterLab's extension copies it to the cell's own metadata under the same key, which a kernel cannot.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ehpc_jupyter.models.actions import CreateJobRequest, JobInfo
    from ehpc_jupyter.models.job import JobDetail

KEY = "ehpc"
#: A longer script is kept by its hash only; the job's folder has it whole.
_SCRIPT_BYTES = 10_000
_HIDDEN = "(not kept)"
_SECRET = re.compile(r"PASS|SECRET|TOKEN|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY", re.IGNORECASE)


def metadata(detail: JobDetail, request: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of an output that shows a job.

    Args:
        detail: what is known of the job.
        request: the request that made it, as ``kept`` or ``told`` gives it; empty if not known.
    """
    submitted = detail.submit_time
    spec = request.get("JobSpec", {})
    entry = {
        "ClusterId": detail.cluster_id,
        "JobId": detail.job_id,
        "RequestId": detail.request_id or None,
        "SubmitTime": submitted and dt.datetime.fromtimestamp(submitted, dt.timezone.utc).isoformat(),
        "ScriptSha256": request.get("ScriptSha256"),
        "Request": {**{k: v for k, v in request.items() if k != "ScriptSha256"}, "JobSpec": spec} if request else None,
        "RerunOf": detail.rerun_of,
        "Folder": detail.folder,
        "StdoutPath": detail.stdout_path,
        "StderrPath": detail.stderr_path,
    }
    return {KEY: {name: value for name, value in entry.items() if value is not None}}


def kept(request: CreateJobRequest) -> dict[str, Any]:
    """A request as it may be kept: no password, no variable that sounds like a secret, no long script."""
    body = request.to_wire()
    body.pop("ClientToken", None)
    spec = body["JobSpec"]
    if "Variables" in spec:
        spec["Variables"] = json.dumps(_quiet(json.loads(spec["Variables"])), ensure_ascii=False)
    script = request.job_spec.script
    if script is not None:
        data = script.encode()
        body["ScriptSha256"] = hashlib.sha256(data).hexdigest()
        if len(data) > _SCRIPT_BYTES:
            del spec["Script"]
    return body


def told(info: JobInfo) -> dict[str, Any]:
    """A request as far as GetJob tells it: without its script."""
    spec = {
        "CommandLine": info.command_line,
        "JobQueue": info.job_queue,
        "Priority": info.priority,
        "ArrayRequest": info.array_request,
        "Resources": info.resources.to_wire() if info.resources else None,
        "RunasUser": info.runas_user,
        "Variables": json.dumps(_quiet([v.model_dump(by_alias=True) for v in info.variables]), ensure_ascii=False)
        if info.variables
        else None,
    }
    known = {name: value for name, value in spec.items() if value is not None}
    return {"ClusterId": info.detail.cluster_id, "JobName": info.job_name, "JobSpec": known}


def _quiet(variables: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{**v, "Value": _HIDDEN} if _SECRET.search(v["Name"]) else v for v in variables]
