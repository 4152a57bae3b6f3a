"""Requests and answers of the actions about clusters; wire names and types as on the API's pages (2024-07-30)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from ehpc_jupyter.models.base import WireModel
from ehpc_jupyter.models.common import Answer, Names
from ehpc_jupyter.models.values import NO_TRUTH

PageNumber = Annotated[int, Field(ge=1, le=10**9), NO_TRUTH]
PageSize = Annotated[int, Field(ge=1, le=100), NO_TRUTH]

# --- ListClusters


class ListClustersRequest(WireModel):
    """List the clusters configured here."""

    cluster_ids: Names = ()
    cluster_names: Names = ()
    page_number: PageNumber = 1
    page_size: PageSize = 50


class SchedulerInfo(WireModel):
    """The batch system."""

    type: str
    version: str | None = None


class ManagerInfo(WireModel):
    """Who manages a cluster's jobs."""

    scheduler: SchedulerInfo


class ClusterInfo(WireModel):
    """A cluster."""

    cluster_id: str
    cluster_name: str
    cluster_description: str = ""
    cluster_status: Literal["running", "exception", "pending", "stopped"] = "pending"
    """running: it answered; exception: it did not; pending: nobody asked yet; stopped: disabled in the configuration."""
    cluster_status_reason: str | None = None
    """Extension of ours: why it is in exception or stopped."""
    host: str | None = None
    """Extension of ours: the login node."""
    checked_time: int | None = None
    """Extension of ours: when it last answered about jobs, UNIX seconds."""
    next_check_time: int | None = None
    """Extension of ours: when it is asked about jobs next, UNIX seconds; absent while nothing is asked."""
    paused: bool = False
    """Extension of ours: whether it is not asked any more, because it did not answer; RefreshJobs asks again."""
    manager: ManagerInfo | None = None


class ListClustersResponse(Answer):
    """The clusters."""

    page_number: str
    page_size: int
    total_count: int
    clusters: tuple[ClusterInfo, ...]


# --- ListQueues


class ListQueuesRequest(WireModel):
    """List a cluster's queues and their limits."""

    cluster_id: str
    queue_names: Names = ()
    runas_user: str | None = None
    runas_user_password: SecretStr | None = Field(None, exclude=True, repr=False)


class QueueInfo(WireModel):
    """A queue. All but ``QueueName`` and ``TotalCores`` are extensions of ours; what is not known is absent."""

    queue_name: str
    is_default: bool
    state: str
    total_cores: int | None = None
    max_wall_time: str | None = None
    max_nodes: int | None = None
    max_cores_per_node: int | None = None
    max_memory_per_node: str | None = None
    max_gpus_per_node: int | None = None
    idle_nodes: int | None = None


class ListQueuesResponse(Answer):
    """The queues."""

    success: bool = True
    queues: tuple[QueueInfo, ...]


# --- GetCluster


class GetClusterRequest(WireModel):
    """Look at one cluster."""

    cluster_id: str


class GetClusterResponse(ClusterInfo, Answer):
    """One cluster, flat."""


# --- ListNodes


class ListNodesRequest(WireModel):
    """List a cluster's compute nodes, in the order of their names."""

    cluster_id: str
    hostnames: Names = ()
    queue_names: Names = ()
    """Nodes that are in any of them."""
    status: Names = ()
    """As in ``NodeInfo``."""
    private_ip_address: Names = ()
    sort_by: Literal["AddedTime", "HostName"] = "HostName"
    """When a node was added is known to no scheduler: both sort by name."""
    sequence: Literal["Forward", "Backward"] = "Forward"
    page_number: PageNumber = 1
    page_size: PageSize = 50


class NodeResources(WireModel):
    """What a node has."""

    cpu: int | None = None
    """Cores that the scheduler gives away."""
    gpu: int | None = None
    memory: int | None = None
    """NO_TRUTH GiB."""


class NodeInfo(WireModel):
    """A compute node."""

    hostname: str
    queue_name: str | None = None
    """Its queues, with commas."""
    status: Literal["running", "stopped", "exception"] = "running"
    """running: it takes jobs, now or later; stopped: it is switched off; exception: the scheduler cannot use it."""
    state_in_sched: str
    """The scheduler's word."""
    reason: str | None = None
    """Why it takes no jobs, in the scheduler's words."""
    ip_address: str | None = None
    total_resources: NodeResources


class ListNodesResponse(Answer):
    """A page of nodes."""

    page_number: int
    page_size: int
    total_count: int
    nodes: tuple[NodeInfo, ...]


# --- ListUsers


class ListUsersRequest(WireModel):
    """List the accounts of a cluster that are known here."""

    cluster_id: str
    page_number: PageNumber = 1
    page_size: PageSize = 50


class UserInfo(WireModel):
    """An account. Its groups and when it was made are not for a scheduler to know."""

    user_name: str


class UserList(WireModel):
    """The API's wrapping of a list."""

    user_info: tuple[UserInfo, ...]


class ListUsersResponse(Answer):
    """A page of accounts: the one that logs in, and those that jobs were submitted as from here."""

    page_number: int
    page_size: int
    total_count: int
    users: UserList
