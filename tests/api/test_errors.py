"""Every row of the error table, as a program with the SDK meets it."""

from __future__ import annotations

import json
import re

import pytest
import requests
from alibabacloud_ehpc20240730 import models
from alibabacloud_tea_openapi import exceptions

from tests.api.conftest import start
from tests.api.fake import FAULTS
from tests.api.sdk import WAYS, PathClient, Sync, config
from tests.conftest import wait_for

SHAPE = {"RequestId", "HostId", "Code", "Message", "Recommend"}


def refused(work):
    """The error that the SDK raises; its body has the API's shape."""
    with pytest.raises(exceptions.AlibabaCloudException) as caught:
        work()
    error = caught.value
    assert set(error.data) - {"statusCode"} == SHAPE
    assert error.data["RequestId"] == error.request_id
    return error.status_code, error.code, error.data["Message"]


def create(call, cluster="local", name="n", **spec):
    spec = models.CreateJobRequestJobSpec(**{"command_line": "-- /bin/true", **spec})
    return call("create_job", models.CreateJobRequest(cluster_id=cluster, job_name=name, job_spec=spec))


ROWS = {
    "a field": (lambda call: create(call, wall_time="soon"), 400, "InvalidParams", "JobSpec.WallTime"),
    "no JSON": (
        lambda call: call.other("CreateJob", ClusterId="local", JobSpec='{"CommandLine": '),
        400,
        "InvalidParams",
        "JobSpec",
    ),
    "unknown field": (lambda call: call.other("GetJob", ClusterId="local", JobID="1"), 400, "InvalidParams", "JobId"),
    "no such cluster": (lambda call: create(call, "nosuch"), 404, "ClusterNotFound", "nosuch"),
    "disabled cluster": (lambda call: create(call, "off"), 403, "InvalidClusterStatus", "off"),
    "cluster that is down": (lambda call: create(call, "down"), 503, "ServiceUnavailable", ""),
    "the scheduler refuses": (
        lambda call: create(call, array_request="1-900000000"),
        406,
        "AgentError.Job.SubmitFailure",
        "",
    ),
    "no such job": (
        lambda call: call("get_job", models.GetJobRequest(cluster_id="local", job_id="999")),
        404,
        "JobNotFound",
        "999",
    ),
    "no such action": (lambda call: call.other("FlyToTheMoon"), 404, "InvalidAction.NotFound", "FlyToTheMoon"),
    "denied by policy": (lambda call: create(call, "guarded"), 403, "NoPermission", "guarded"),
    "query too large": (
        lambda call: create(call, command_line="-- /bin/echo " + "x" * 20_000),
        400,
        "InvalidParams",
        "query",
    ),
}


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("name", ["path", "root, async", "root, HMAC-SHA1"])
def test_a_row_of_the_table(server, name, row):
    work, status, code, words = ROWS[row]
    got = refused(lambda: work(WAYS[name](server)))
    assert got[:2] == (status, code)
    assert words in got[2]


@pytest.mark.parametrize("code", FAULTS)
def test_a_row_that_only_a_fault_brings(fake_server, code):
    call = WAYS["path"](fake_server)
    cluster = code.replace(".", "-")
    for work in (
        lambda: create(call, cluster),
        lambda: call("list_queues", models.ListQueuesRequest(cluster_id=cluster)),
    ):
        status, got, message = refused(work)
        assert (status, got) == (FAULTS[code].http_status, code)
        assert "told so" in message


def test_a_running_job_is_not_deleted(server):
    call = WAYS["path"](server)
    job = create(call, command_line="-- /bin/sleep 60").job_id
    query = {"ClusterId": "local", "JobIds": json.dumps([job])}
    assert refused(lambda: call.other("DeleteJobs", **query))[:2] == (406, "AgentError.Job.DeleteFailure")
    call.other("StopJobs", **query)


@pytest.mark.cluster
def test_the_words_of_slurm(slurm_server):
    call = WAYS["path"](slurm_server)
    status, code, message = refused(lambda: create(call, "slurm", array_request="1-900000000"))
    assert (status, code) == (406, "AgentError.Job.SubmitFailure")
    assert "Invalid job array specification" in message


@pytest.mark.parametrize("way", ["path", "root", "root, HMAC-SHA1"])
def test_wrong_credentials(server, way):
    algorithm = {"signature_algorithm": "v2"} if "SHA1" in way else {}
    for key, secret, expected in (
        ("jupyter", "wrong-wrong-wrong", (403, "SignatureDoesNotMatch")),
        ("alice", server.token, (403, "SignatureDoesNotMatch")),
        ("nobody", "x", (404, "InvalidAccessKeyId.NotFound")),
    ):
        client = PathClient(config(server, key=key, secret=secret, **algorithm), "/ehpc" if way == "path" else "/")
        call = Sync(client)
        assert refused(lambda call=call: create(call))[:2] == expected


def test_a_wrong_bearer(server):
    client = config(server, bearer=True)
    client.bearer_token = "wrong"
    assert refused(lambda: create(Sync(PathClient(client, "/ehpc"))))[:2] == (403, "Forbidden")


def test_a_flood_is_slowed_down(tmp_path):
    server = start(tmp_path, {}, options={"rate_limit": 2})
    try:
        call = WAYS["path"](server)
        with pytest.raises(exceptions.ThrottlingException) as caught:
            [call("list_clusters", models.ListClustersRequest()) for _ in range(40)]
        assert caught.value.status_code == 429
        assert caught.value.code == "Throttling.User"
        assert 1 <= caught.value.retry_after <= 500
        alice = WAYS["path, own key"](server)
        assert alice("list_clusters", models.ListClustersRequest()).total_count == 1
    finally:
        server.stop()


def curl(server, method, path, *, token=True, **more):
    headers = {"Authorization": f"token {server.token}"} if token else {}
    answer = requests.request(
        method, server.url + path, headers={**headers, **more.pop("headers", {})}, timeout=30, **more
    )
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "code"),
    [
        ("GET", "ehpc/CreateJob", {}, 405, "UnsupportedHTTPMethod"),
        ("PUT", "ehpc/CreateJob", {}, 405, "UnsupportedHTTPMethod"),
        ("GET", "ehpc", {}, 404, "InvalidAction.NotFound"),
        ("POST", "ehpc", {"json": {}}, 404, "InvalidAction.NotFound"),
        ("POST", "ehpc/", {"params": {"Action": "GetJob", "Version": "2018-04-12"}}, 400, "NoSuchVersion"),
        ("POST", "ehpc", {"headers": {"x-acs-action": "GetJob", "x-acs-version": "1"}}, 400, "NoSuchVersion"),
        ("POST", "ehpc/GetJob", {"headers": {"x-acs-action": "CreateJob"}}, 400, "InvalidParams"),
        ("POST", "ehpc/GetJob", {"data": b"{"}, 400, "InvalidParams"),
        ("POST", "ehpc/GetJob?ClusterId=a", {"json": {"ClusterId": "b"}}, 400, "InvalidParams"),
        ("POST", "ehpc/GetJob", {"data": b" " * 5_000_000}, 400, "InvalidParams"),
        ("POST", "ehpc/nosuch/deeper", {}, 404, "InvalidAction.NotFound"),
        (
            "POST",
            "ehpc/GetJob",
            {"headers": {"Authorization": "ACS3-HMAC-SHA256 nonsense"}},
            400,
            "IncompleteSignature",
        ),
        ("POST", "ehpc/GetJob", {"headers": {"Host": "evil.example"}}, 403, "Forbidden"),
        ("POST", "ehpc/GetJob", {"token": False}, 403, "Forbidden"),
        ("POST", "?Action=GetJob", {"token": False}, 403, "Forbidden"),
        ("GET", "ehpc/openapi.json", {"token": False}, 403, "Forbidden"),
        ("GET", "ehpc/docs", {"token": False}, 403, "Forbidden"),
    ],
)
def test_curl_is_answered_in_the_same_shape(server, method, path, more, status, code):
    got, body = curl(server, method, path, **more)
    assert (got, body["Code"], set(body)) == (status, code, SHAPE)
    line = re.compile(rf"ehpc {body['RequestId']} \S+ {status} \d+ ms")
    wait_for(lambda: line.search(server.log.read_text()), what="the request's id in the log, with status and duration")


@pytest.mark.parametrize("path", ["ehpc/GetJob?", "ehpc?Action=GetJob&", "?Action=GetJob&"])
@pytest.mark.parametrize("size", [60_000, 66_000, 200_000])
def test_a_query_beyond_tornados_own_limit_is_answered(server, path, size):
    status, body = curl(server, "POST", f"{path}JobId={'x' * size}")
    assert (status, body["Code"], set(body)) == (400, "InvalidParams", SHAPE)
    assert "JSON body" in body["Message"]
    assert "x" * 20_000 not in server.log.read_text()


def test_plain_curl(server):
    for path, more in (
        ("ehpc/ListClusters", {"json": {"ClusterIds": ["local"]}}),
        ("ehpc/ListClusters", {"data": '{"ClusterIds": "[\\"local\\"]"}'}),  # as curl -d: called a form
        ("ehpc?Action=ListClusters&Version=2024-07-30", {"data": {"ClusterIds": '["local"]'}}),
        ("ehpc/?Action=ListClusters", {"params": {"ClusterIds": "local"}}),
        ("ehpc/ListClusters?1723802000000", {"json": {"ClusterIds": "local"}}),
        ("?Action=ListClusters&ClusterIds=local", {}),
    ):
        status, body = curl(server, "POST", path, **more)
        assert (status, body["TotalCount"]) == (200, 1), path
    assert curl(server, "GET", "ehpc/ListUsers?ClusterId=local")[0] == 200


def test_the_root_is_jupyters_without_an_action(server):
    answer = requests.get(server.url, headers={"Authorization": f"token {server.token}"}, timeout=30)
    assert answer.status_code == 200
    assert "json" not in answer.headers["Content-Type"]


def test_a_cookie_alone_needs_the_xsrf_token(server):
    session = requests.Session()
    session.trust_env = False
    session.get(f"{server.url}lab?token={server.token}", timeout=60)
    assert session.get(f"{server.url}ehpc/schema", timeout=30).status_code == 200
    refusal = session.post(f"{server.url}ehpc/ListClusters", json={}, timeout=30)
    assert (refusal.status_code, refusal.json()["Code"]) == (403, "Forbidden")
    root = session.post(f"{server.url}?Action=ListClusters", timeout=30)
    assert (root.status_code, root.json()["Code"]) == (403, "Forbidden")
    headers = {"X-XSRFToken": session.cookies["_xsrf"]}
    assert session.post(f"{server.url}ehpc/ListClusters", json={}, headers=headers, timeout=30).status_code == 200
