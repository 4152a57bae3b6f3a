"""The one table of actions: what goes in, what comes out, who carries it out, who may. Server and OpenAPI derive from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ehpc_jupyter.jobs import cluster_actions, control_actions, job_actions, templates
from ehpc_jupyter.models import actions

if TYPE_CHECKING:
    from collections.abc import Callable

    from ehpc_jupyter.jobs.sites import Sites
    from ehpc_jupyter.models.base import WireModel

#: As in the authorization table of the API's pages.
Access = Literal["list", "read", "write"]


@dataclass(frozen=True)
class Action:
    """An action of the API.

    Attributes:
        request: what goes in.
        response: what comes out.
        method: carries it out: ``method(service, request)``; it raises an ``EhpcError`` or returns a ``response``.
        access: what a caller must be allowed.
    """

    request: type[WireModel]
    response: type[actions.Answer]
    method: Callable[[Sites, Any], actions.Answer]
    access: Access


ACTIONS: dict[str, Action] = {
    "CreateJob": Action(actions.CreateJobRequest, actions.CreateJobResponse, job_actions.create_job, "write"),
    "CheckJob": Action(actions.CheckJobRequest, actions.CheckJobResponse, job_actions.check_job, "write"),
    "GetJob": Action(actions.GetJobRequest, actions.GetJobResponse, job_actions.get_job, "read"),
    "ListJobs": Action(actions.ListJobsRequest, actions.ListJobsResponse, job_actions.list_jobs, "list"),
    "GetJobLog": Action(actions.GetJobLogRequest, actions.GetJobLogResponse, job_actions.get_job_log, "read"),
    "StopJobs": Action(actions.StopJobsRequest, actions.StopJobsResponse, control_actions.stop_jobs, "write"),
    "DeleteJobs": Action(actions.DeleteJobsRequest, actions.DeleteJobsResponse, job_actions.delete_jobs, "write"),
    "RerunJobs": Action(actions.RerunJobsRequest, actions.RerunJobsResponse, job_actions.rerun_jobs, "write"),
    "HoldJobs": Action(actions.HoldJobsRequest, actions.HoldJobsResponse, control_actions.hold_jobs, "write"),
    "ReleaseJobs": Action(
        actions.ReleaseJobsRequest, actions.ReleaseJobsResponse, control_actions.release_jobs, "write"
    ),
    "RefreshJobs": Action(
        actions.RefreshJobsRequest, actions.RefreshJobsResponse, control_actions.refresh_jobs, "read"
    ),
    "ListTasks": Action(actions.ListTasksRequest, actions.ListTasksResponse, control_actions.list_tasks, "list"),
    "ListJobEvents": Action(
        actions.ListJobEventsRequest, actions.ListJobEventsResponse, control_actions.list_job_events, "list"
    ),
    "ListClusters": Action(
        actions.ListClustersRequest, actions.ListClustersResponse, cluster_actions.list_clusters, "list"
    ),
    "GetCluster": Action(actions.GetClusterRequest, actions.GetClusterResponse, cluster_actions.get_cluster, "read"),
    "ListQueues": Action(actions.ListQueuesRequest, actions.ListQueuesResponse, cluster_actions.list_queues, "list"),
    "ListNodes": Action(actions.ListNodesRequest, actions.ListNodesResponse, cluster_actions.list_nodes, "list"),
    "ListUsers": Action(actions.ListUsersRequest, actions.ListUsersResponse, cluster_actions.list_users, "list"),
    "ListTemplates": Action(
        actions.ListTemplatesRequest, actions.ListTemplatesResponse, templates.list_templates, "list"
    ),
    "SaveTemplate": Action(actions.SaveTemplateRequest, actions.SaveTemplateResponse, templates.save_template, "write"),
    "DeleteTemplate": Action(
        actions.DeleteTemplateRequest, actions.DeleteTemplateResponse, templates.delete_template, "write"
    ),
}
