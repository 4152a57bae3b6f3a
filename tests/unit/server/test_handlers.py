"""The HTTP face: every answer and every failure in the API's shape, nothing without a token."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import threading

import pytest
from tornado.httpclient import AsyncHTTPClient

from ehpc_jupyter.jobs.actions_table import ACTIONS
from ehpc_jupyter.server.extension import EVENT_SCHEMA

SHAPE = {"RequestId", "HostId", "Code", "Message", "Recommend"}
CANARY = "canary-7f3a9"


async def finished(call, job_id):
    for _ in range(300):
        _, answer = await call("GetJob", {"ClusterId": "local", "JobId": job_id})
        detail = answer["JobInfo"]["Detail"]
        if detail["State"] in ("FINISHED", "FAILED"):
            return detail
        await asyncio.sleep(0.1)  # the event loop must go on: it is the server's own
    pytest.fail(f"job {job_id} did not end: {detail}")


async def test_a_job_through_http(call, jp_fetch):
    status, created = await call(
        "CreateJob", {"ClusterId": "local", "JobName": "n", "JobSpec": {"Script": "echo hello"}}
    )
    assert (status, created["Success"]) == (200, "true")
    assert len(created["RequestId"]) == 36
    detail = await finished(call, created["JobId"])
    assert (detail["State"], detail["ExitCode"]) == ("FINISHED", 0)
    _, log = await call("GetJobLog", {"ClusterId": "local", "JobId": f"Submitted batch job {created['JobId']}\n"})
    assert base64.b64decode(log["StdoutLog"]) == b"hello\n"
    _, listed = await call("ListJobs", {"ClusterId": "local"})
    assert [job["JobSpec"]["Id"] for job in listed["Jobs"]] == [created["JobId"]]
    _, clusters = await call("ListClusters")
    assert [cluster["ClusterId"] for cluster in clusters["Clusters"]] == ["local"]
    _, queues = await call("ListQueues", {"ClusterId": "local"})
    assert queues["Queues"][0]["IsDefault"]


async def test_files_of_a_job_as_lab_opens_them(call):
    _, created = await call("CreateJob", {"ClusterId": "local", "JobSpec": {"Script": "echo hello"}})
    job = created["JobId"]
    await finished(call, job)
    _, folder = await call(f"contents/local/{job}", method="GET")
    assert {"stdout", "stderr", "job.sh", "script"} <= {item["name"] for item in folder["content"]}
    _, file = await call(f"contents/local/{job}/stdout", method="GET")
    assert (file["content"], file["writable"], file["type"]) == ("hello\n", False, "file")
    for path in (
        f"local/{job}/../../x",
        f"local/{job}/..",
        f"local/{job}/%2e%2e%2fx",
        f"local/{job}/nosuch",
        "local/999",
        "x",
    ):
        status, body = await call(f"contents/{path}", method="GET")
        assert (status, set(body)) == (404, SHAPE | {"message"}), path


@pytest.mark.parametrize(
    ("action", "body", "status", "code"),
    [
        ("CreateJob", {"ClusterId": "local", "JobSpec": {}}, 400, "InvalidParams"),
        ("CreateJob", {"ClusterId": "nosuch", "JobSpec": {"Script": "x"}}, 404, "ClusterNotFound"),
        ("CreateJob", "{", 400, "InvalidParams"),
        ("CreateJob", "[]", 400, "InvalidParams"),
        ("CreateJob", b"\xff\xfe", 400, "InvalidParams"),
        ("GetJob", {"ClusterId": "local", "JobId": "99"}, 404, "JobNotFound"),
        ("GetJob", {"ClusterId": "local", "JobId": "--all"}, 400, "InvalidParams"),
        ("StopJobs", {"ClusterId": "local", "JobIds": "[]"}, 400, "InvalidParams"),
        ("NoSuch", {}, 404, "InvalidAction.NotFound"),
        ("CreateJob/deeper", {}, 404, "InvalidAction.NotFound"),
        (
            "CreateJob",
            {"ClusterId": "local", "JobSpec": {"Script": "x", "Resources": {"Nodes": 7}}},
            406,
            "AgentError.Job.SubmitFailure",
        ),
    ],
)
async def test_failures_have_the_apis_shape(call, action, body, status, code):
    got, answer = await call(action, body)
    assert (got, answer["Code"], set(answer)) == (status, code, SHAPE)
    assert answer["RequestId"]
    assert answer["Message"]


async def test_other_methods(call):
    status, answer = await call("CreateJob", method="GET")
    assert (status, answer["Code"], set(answer)) == (405, "UnsupportedHTTPMethod", SHAPE)


async def test_a_body_too_large(call):
    status, answer = await call("CreateJob", " " * (4 * 1024 * 1024 + 1))
    assert (status, answer["Code"]) == (400, "InvalidParams")


async def test_no_route_answers_without_a_token(jp_serverapp, jp_base_url, call):
    """Walks the routes as registered: one added later is walked too."""
    app = jp_serverapp.extension_manager.extension_apps["ehpc_jupyter"].copy().pop()
    patterns = [handler[0] for handler in app.handlers]
    assert len(patterns) >= 4
    paths = [
        "ehpc/schema",
        "ehpc/contents/local/1",
        "ehpc/contents",
        "ehpc",
        "ehpc/x/y",
        *(f"ehpc/{a}" for a in ACTIONS),
    ]
    client = AsyncHTTPClient()
    for path in paths:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            url = f"http://127.0.0.1:{jp_serverapp.port}{jp_base_url}{path}"
            body = "{}" if method in ("POST", "PUT", "PATCH") else None
            answer = await client.fetch(url, method=method, body=body, raise_error=False, follow_redirects=False)
            assert answer.code in (403, 405) or (method == "OPTIONS" and answer.code == 204), (
                f"{method} {path}: {answer.code}"
            )
            if answer.code == 403:
                assert b'"Code"' in answer.body
    _, listed = await call("ListJobs", {"ClusterId": "local"})
    assert listed["TotalCount"] == 0


async def test_the_authorizer_decides(call, jp_serverapp, monkeypatch):
    asked = []

    def is_authorized(handler, user, action, resource):
        asked.append((action, resource))
        return action == "read"

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", is_authorized)
    status, answer = await call("CreateJob", {"ClusterId": "local", "JobSpec": {"Script": "x"}})
    assert (status, set(answer)) == (403, SHAPE)
    status, _ = await call("ListJobs", {"ClusterId": "local"})
    assert status == 200
    assert asked == [("write", "ehpc"), ("read", "ehpc")]


async def test_changes_go_out_as_events(call, jp_serverapp):
    heard = []

    async def listener(logger, schema_id, data):
        heard.append(data)

    jp_serverapp.event_logger.add_listener(schema_id=EVENT_SCHEMA, listener=listener)
    _, created = await call("CreateJob", {"ClusterId": "local", "JobSpec": {"Script": "true"}})
    await finished(call, created["JobId"])
    await asyncio.sleep(0)
    assert [data["State"] for data in heard if data["JobId"] == created["JobId"]][-1] == "FINISHED"


async def test_a_password_is_in_no_log_no_answer_and_no_file(call, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    spec = {"Script": "x", "RunasUser": "nobody-here", "RunasUserPassword": CANARY}
    for body in (
        {"ClusterId": "local", "JobSpec": spec},
        {"ClusterId": "local", "JobSpec": {**spec, "WallTime": CANARY + "x", "Priority": "x"}},
        {"ClusterId": "nosuch", "JobSpec": spec},
        {"ClusterId": "local", "JobSpec": {**spec, "RunasUserPassword": [CANARY]}},
    ):
        status, answer = await call("CreateJob", body)
        assert status >= 400
        if "WallTime" not in body["JobSpec"]:
            assert CANARY not in str(answer)
    assert CANARY not in caplog.text
    for path in (tmp_path / "ehpc").iterdir():
        assert CANARY.encode() not in path.read_bytes()


@pytest.mark.parametrize("body", ["[" * 100_000, '{"ClusterId": "\\ud800"}', '{"\\ud800": 1}', '{"ClusterId": 1}'])
async def test_bodies_that_break_things(call, body):
    for action in ("CreateJob", "ListJobs"):
        status, answer = await call(action, body)
        assert (status, set(answer)) in ((400, SHAPE), (404, SHAPE)), answer


async def test_a_file_name_with_nul(call):
    _, created = await call("CreateJob", {"ClusterId": "local", "JobSpec": {"Script": "true"}})
    status, _ = await call(f"contents/local/{created['JobId']}/a%00b", method="GET")
    assert status == 404


async def test_a_cookie_needs_the_xsrf_token_too(jp_serverapp, jp_base_url, call):
    """A page of another site may send a browser's cookies, but cannot read them."""
    root = f"http://127.0.0.1:{jp_serverapp.port}{jp_base_url}"
    client = AsyncHTTPClient()
    login = await client.fetch(
        f"{root}ehpc/schema?token={jp_serverapp.identity_provider.token}", follow_redirects=False, raise_error=False
    )
    cookies = dict(cookie.split(";")[0].split("=", 1) for cookie in login.headers.get_list("Set-Cookie"))
    # The one of tornado's XSRF check comes with any page.
    page = await client.fetch(f"{root}login", follow_redirects=False, raise_error=False)
    cookies |= dict(
        cookie.split(";")[0].split("=", 1) for cookie in page.headers.get_list("Set-Cookie") if "_xsrf" in cookie
    )
    sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}

    async def post(**headers):
        return await client.fetch(
            f"{root}ehpc/ListJobs",
            method="POST",
            body='{"ClusterId": "local"}',
            headers=sent | headers,
            raise_error=False,
        )

    assert (await post()).code == 403
    assert (await post(**{"X-XSRFToken": "2|a|b|1"})).code == 403
    assert (await post(**{"X-XSRFToken": cookies["_xsrf"]})).code == 200
    assert (await client.fetch(f"{root}ehpc/schema", headers=sent, raise_error=False)).code == 200
    assert (
        await client.fetch(f"{root}ehpc/schema", headers=sent | {"Origin": "http://evil.example"}, raise_error=False)
    ).code in (403, 404)


async def test_a_cluster_that_hangs_holds_up_no_other(call, jp_serverapp, monkeypatch):
    service = jp_serverapp.extension_manager.extension_apps["ehpc_jupyter"].copy().pop().service
    _, created = await call("CreateJob", {"ClusterId": "local", "JobSpec": {"Script": "true"}})
    go = threading.Event()
    monkeypatch.setattr(service.cluster("local"), "read", lambda *_: go.wait(30) and (b"", 0))
    try:
        waiting = [
            asyncio.ensure_future(
                call("GetJobLog", {"ClusterId": "local", "JobId": created["JobId"], "LogType": "stdout"})
            )
            for _ in range(9)
        ]
        for action, body in (
            ("ListJobs", {"ClusterId": "local"}),
            ("ListClusters", {}),
            ("ListQueues", {"ClusterId": "other"}),
        ):
            status, _ = await asyncio.wait_for(call(action, body), 10)
            assert status in (200, 404, 503)
    finally:
        go.set()
        await asyncio.gather(*waiting)


async def test_the_schema_describes_every_action(call):
    status, answer = await call("schema", method="GET")
    assert status == 200
    assert set(answer) == set(ACTIONS)
    assert answer["CreateJob"]["$defs"]["JobSpec"]["properties"]["WallTime"]["description"]


async def signed(serverapp, base_url, key, secret):
    """ListClusters, signed as the SDK signs."""
    from alibabacloud_tea_openapi.utils import Utils
    from darabonba.request import DaraRequest

    digest = Utils.hash(b"", "ACS3-HMAC-SHA256").hex()
    request = DaraRequest()
    request.method, request.pathname, request.query = "POST", f"{base_url}ehpc", {}
    request.headers = {
        "host": f"127.0.0.1:{serverapp.port}",
        "x-acs-action": "ListClusters",
        "x-acs-version": "2024-07-30",
        "x-acs-date": Utils.get_timestamp(),
        "x-acs-signature-nonce": Utils.get_nonce(),
        "x-acs-content-sha256": digest,
    }
    sign = Utils.get_authorization(request, "ACS3-HMAC-SHA256", digest, key, secret)
    url = f"http://127.0.0.1:{serverapp.port}{base_url}ehpc"
    headers = {**request.headers, "Authorization": sign}
    return await AsyncHTTPClient().fetch(url, method="POST", body="", headers=headers, raise_error=False)


@pytest.fixture
def alice(jp_serverapp, jp_fetch):
    """An access key of the configuration."""
    app = jp_serverapp.extension_manager.extension_apps["ehpc_jupyter"].copy().pop()
    app.access_keys = {"alice": "s3cret-s3cret-s3cret"}
    return "alice", "s3cret-s3cret-s3cret"


async def test_who_signed_is_whom_the_authorizer_sees(jp_serverapp, jp_base_url, monkeypatch, alice):
    seen = []

    def is_authorized(handler, user, action, resource):
        seen.append(user.username)
        return True

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", is_authorized)
    for key, secret in (alice, ("jupyter", jp_serverapp.identity_provider.token)):
        answer = await signed(jp_serverapp, jp_base_url, key, secret)
        assert answer.code == 200, answer.body
    assert seen[0] == "alice"
    assert seen[1] != "alice"


async def test_an_authorizer_that_cannot_judge_a_key_lets_nobody_in(jp_serverapp, jp_base_url, monkeypatch, alice):
    def is_authorized(handler, user, action, resource):
        return bool(user.hub_user)  # as JupyterHubAuthorizer does

    monkeypatch.setattr(jp_serverapp.authorizer, "is_authorized", is_authorized)
    answer = await signed(jp_serverapp, jp_base_url, *alice)
    body = json.loads(answer.body)
    assert (answer.code, body["Code"]) == (403, "Forbidden")
    assert "knows no access keys" in body["Message"]
