"""No secret in anything the server writes, at DEBUG, however the request fails; a signed request is taken once."""

from __future__ import annotations

import contextlib
import json

import pytest
import requests
from alibabacloud_ehpc20240730 import models
from alibabacloud_tea_openapi import exceptions

from tests.api.sdk import ALICE, PASSWORD, WAYS, PathClient, Sync, config

CANARY = "canary-5d2e81"


def test_no_output_of_the_server_holds_a_secret(server):
    spec = models.CreateJobRequestJobSpec(
        command_line="-- /bin/true", runas_user="nobody-here", runas_user_password=CANARY
    )
    for make in WAYS.values():
        for cluster in ("local", "nosuch", "guarded", "off"):
            request = models.CreateJobRequest(cluster_id=cluster, job_spec=spec)
            with contextlib.suppress(exceptions.AlibabaCloudException):
                make(server)("create_job", request)
        with contextlib.suppress(exceptions.AlibabaCloudException):
            make(server).other("Nonsense", **{"JobSpec.RunasUserPassword": CANARY})
    query = {"JobSpec": json.dumps({"RunasUserPassword": CANARY})}
    headers = {"Authorization": f"token {server.token}", "Referer": f"http://x/?RunasUserPassword={CANARY}"}
    for method in ("POST", "GET", "PUT", "DELETE"):
        for path in ("", "ehpc", "ehpc/CreateJob", "ehpc/x/y", "ehpc/docs", "ehpcc", "api/kernels/x", "lab/x", "login"):
            for auth in ({}, headers):
                for extra in ({}, {"Action": "CreateJob"}):
                    requests.request(
                        method, server.url + path, params={**query, **extra}, headers=auth, timeout=30, data=query
                    )
    requests.post(f"{server.url}ehpc/CreateJob", params={"ClusterId": "local", **query}, headers=headers, timeout=30)
    written = server.log.read_bytes()
    assert b" ServerApp] 404 POST" in written.replace(b"\x1b[m", b"")
    assert b"?[hidden]" in written
    assert b"Config changed" in written
    folder = server.log.parent
    for path in (server.log, *(p for p in (folder / "ehpc").rglob("*") if p.is_file())):
        for secret in (CANARY, ALICE, PASSWORD[:14]):
            assert secret.encode() not in path.read_bytes(), f"{secret} in {path}"


def replayed(server, algorithm):
    """What the SDK sent, to be sent again."""
    seen = []

    class Recorder(PathClient):
        pass

    from darabonba.core import DaraCore

    original = DaraCore.do_action

    def record(request, runtime=None):
        seen.append((request.method, DaraCore.compose_url(request), dict(request.headers)))
        return original(request, runtime)

    DaraCore.do_action = staticmethod(record)
    try:
        more = {"signature_algorithm": "v2"} if algorithm == "SHA1" else {}
        Sync(Recorder(config(server, **more), "/"))("list_clusters", models.ListClustersRequest())
    finally:
        DaraCore.do_action = staticmethod(original)
    return seen[0]


@pytest.mark.parametrize("algorithm", ["ACS3", "SHA1"])
def test_a_signed_request_is_taken_once(server, algorithm):
    method, url, headers = replayed(server, algorithm)
    again = requests.request(method, url, headers=headers, timeout=30)
    assert (again.status_code, again.json()["Code"]) == (400, "SignatureNonceUsed")
    changed = requests.request(method, url + ("&" if "?" in url else "?") + "PageSize=5", headers=headers, timeout=30)
    assert (changed.status_code, changed.json()["Code"]) == (403, "SignatureDoesNotMatch")
    if algorithm == "ACS3":
        body = requests.request(method, url, headers=headers, data=b"{}", timeout=30)
        assert (body.status_code, body.json()["Code"]) == (403, "SignatureDoesNotMatch")
