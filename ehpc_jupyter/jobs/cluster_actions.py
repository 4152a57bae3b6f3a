"""The actions about clusters, one function each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ehpc_jupyter.errors import EhpcError
from ehpc_jupyter.jobs import answers
from ehpc_jupyter.models import actions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ehpc_jupyter.clusters.base import Cluster
    from ehpc_jupyter.jobs.sites import Sites

T = TypeVar("T")


def list_clusters(sites: Sites, request: actions.ListClustersRequest) -> actions.ListClustersResponse:
    """ListClusters: as configured, with what each last answered; asks nobody."""
    wanted = set(request.cluster_ids) | set(request.cluster_names)
    names = [name for name in sites.profiles if not wanted or name in wanted]
    return actions.ListClustersResponse(
        page_number=str(request.page_number),
        page_size=request.page_size,
        total_count=len(names),
        clusters=tuple(_cluster(sites, name) for name in _page(names, request.page_number, request.page_size)),
    )


def get_cluster(sites: Sites, request: actions.GetClusterRequest) -> actions.GetClusterResponse:
    """GetCluster: one of the same."""
    info = _cluster(sites, sites.profile(request.cluster_id).name)
    return actions.GetClusterResponse(**{name: getattr(info, name) for name in type(info).model_fields})


def list_queues(sites: Sites, request: actions.ListQueuesRequest) -> actions.ListQueuesResponse:
    """ListQueues: asks the cluster."""
    queues = _asked(sites, request.cluster_id, lambda cluster: cluster.queues())
    sites.keep_queues(request.cluster_id, queues)
    chosen = [queue for queue in queues if not request.queue_names or queue.name in request.queue_names]
    return actions.ListQueuesResponse(queues=tuple(answers.queue_info(queue) for queue in chosen))


def list_nodes(sites: Sites, request: actions.ListNodesRequest) -> actions.ListNodesResponse:
    """ListNodes: asks the cluster."""
    nodes = _asked(sites, request.cluster_id, lambda cluster: cluster.nodes())
    chosen = [
        node
        for node in nodes
        if (not request.hostnames or node.name in request.hostnames)
        and (not request.queue_names or set(node.queues) & set(request.queue_names))
        and (not request.status or node.state in request.status)
        and (not request.private_ip_address or node.address in request.private_ip_address)
    ]
    if request.sequence == "Backward":
        chosen.reverse()
    return actions.ListNodesResponse(
        page_number=request.page_number,
        page_size=request.page_size,
        total_count=len(chosen),
        nodes=tuple(answers.node_info(node) for node in _page(chosen, request.page_number, request.page_size)),
    )


def list_users(sites: Sites, request: actions.ListUsersRequest) -> actions.ListUsersResponse:
    """ListUsers: the account that logs in, then those that jobs ran as; a scheduler has no list of accounts."""
    own = sites.reach(request.cluster_id).login(None, None)
    names = [own, *(name for name in sites.store.users(request.cluster_id) if name != own)]
    page = _page(names, request.page_number, request.page_size)
    return actions.ListUsersResponse(
        page_number=request.page_number,
        page_size=request.page_size,
        total_count=len(names),
        users=actions.UserList(user_info=tuple(actions.UserInfo(user_name=name) for name in page)),
    )


def _cluster(sites: Sites, name: str) -> actions.ClusterInfo:
    version, failure = sites.answers.get(name, (None, None))
    monitor = sites.monitor_if_any(name)
    return answers.cluster_info(
        sites.profiles[name],
        monitor,
        scheduler=sites.cluster(name).scheduler_type,
        version=version,
        answered=version is not None or bool(monitor and monitor.checked_time),
        failure=failure or (monitor.failure if monitor else None),
    )


def _asked(sites: Sites, name: str, question: Callable[[Cluster], T]) -> T:
    """Ask a cluster something, and note for ListClusters whether it answers."""
    cluster = sites.reach(name)
    try:
        version = sites.answers.get(name, (None, None))[0] or cluster.version()
        answer = question(cluster)
    except EhpcError as error:
        sites.answers[name] = (None, error.detail)
        raise
    sites.answers[name] = (version, None)
    return answer


def _page(items: Sequence[T], number: int, size: int) -> Sequence[T]:
    return items[(number - 1) * size : number * size]
