"""Rate, policy, redaction, and how a request's parts become fields."""

from __future__ import annotations

import logging

import pytest
from traitlets import TraitError
from traitlets.config import Config

from ehpc_jupyter.errors import ActionNotFound, InvalidParams, NoPermission, NoSuchVersion, Throttling
from ehpc_jupyter.server import limits
from ehpc_jupyter.server.extension import EhpcExtension
from ehpc_jupyter.server.limits import Throttle
from ehpc_jupyter.server.parameters import action_of, check_size, fields_of, is_form
from ehpc_jupyter.server.policy import Policy
from ehpc_jupyter.server.redaction import redacted
from ehpc_jupyter.server.signature import Sent

ACTIONS = ("CreateJob", "StopJobs", "GetJob")


def test_a_bucket_holds_ten_seconds_and_fills_again():
    throttle = Throttle(2)
    for _ in range(20):
        throttle.take("me", 0)
    with pytest.raises(Throttling) as caught:
        throttle.take("me", 0)
    assert caught.value.retry_after_ms == 500
    throttle.take("you", 0)
    throttle.take("me", 0.51)
    with pytest.raises(Throttling):
        throttle.take("me", 0.52)


def test_no_limit_and_bounded_memory(monkeypatch):
    for _ in range(1000):
        Throttle(0).take("me", 0)
    monkeypatch.setattr(limits, "USERS", 2)
    throttle = Throttle(1)
    for user in "abc":
        throttle.take(user, 0)
    assert len(throttle._buckets) == 2


def test_twenty_clients_that_poll_pass():
    throttle = Throttle(200)
    for tenth in range(600):
        for _ in range(20):
            throttle.take("one token", tenth / 10)


@pytest.mark.parametrize(
    ("rules", "denied"),
    [
        ({}, set()),
        ({"ehpc:CreateJob": "deny"}, {("CreateJob", "a"), ("CreateJob", "b"), ("CreateJob", None)}),
        ({"a": {"ehpc:StopJobs": "deny"}}, {("StopJobs", "a")}),
        ({"ehpc:CreateJob": "deny", "a": {"ehpc:CreateJob": "allow"}}, {("CreateJob", "b"), ("CreateJob", None)}),
        ({"a": {"ehpc:*": "deny", "ehpc:GetJob": "allow"}}, {("CreateJob", "a"), ("StopJobs", "a")}),
        ({"ehpc:*": "deny", "ehpc:GetJob": "allow", "a": {"ehpc:*": "allow"}}, {
            (action, cluster) for action in ("CreateJob", "StopJobs") for cluster in ("b", None)
        }),
    ],
)  # fmt: skip
def test_policy(rules, denied):
    policy = Policy(rules, ACTIONS, ["a", "b"])
    for action in ACTIONS:
        for cluster in ("a", "b", None):
            if (action, cluster) in denied:
                with pytest.raises(NoPermission):
                    policy.check(action, [cluster, None])
            else:
                policy.check(action, [cluster])


def test_both_spellings_of_a_cluster_are_asked():
    policy = Policy({"a": {"ehpc:CreateJob": "deny"}}, ACTIONS, ["a", "b"])
    for clusters in (["b", "a"], ["a", "b"], [["x"], "a"]):
        with pytest.raises(NoPermission):
            policy.check("CreateJob", clusters)


@pytest.mark.parametrize(
    "options",
    [
        {"policy": {"ehpc:CreateJobs": "deny"}},
        {"policy": {"CreateJob": "deny"}},
        {"policy": {"ehpc:CreateJob": "no"}},
        {"policy": {"local": {"ehpc:Fly": "deny"}}},
        {"access_keys": {"jupyter": "x" * 20}},
        {"access_keys": {"alice": "short"}},
        {"access_keys": {"a,b": "x" * 20}},
        {"access_keys": {"alice": ["x" * 20]}},
        {"rate_limit": -1},
        {"max_body": 1},
    ],
)
def test_a_mistake_in_the_configuration_is_told(options):
    with pytest.raises(TraitError) as caught:
        EhpcExtension(config=Config({"EhpcExtension": options})).policy  # noqa: B018
    assert "x" * 20 not in str(caught.value)


def sent(query="", body=b"", method="POST", **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Sent(method, "/ehpc", query, headers, body, is_form(headers.get("content-type", ""), body))


FORM = {"content_type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (sent(body=b'{"ClusterId": "x"}'), {"ClusterId": "x"}),
        (sent(body=b'{"ClusterId": "x"}', **FORM), {"ClusterId": "x"}),
        (sent("ClusterId=a+b%2B&JobSpec=%7B%7D&Action=x&Version=y&token=z"), {"ClusterId": "a b+", "JobSpec": "{}"}),
        (sent("Action=x", b"ClusterId=x&JobId=", **FORM), {"ClusterId": "x", "JobId": ""}),
        (sent("1723802000000"), {}),
        (sent(), {}),
    ],
)
def test_the_parts_of_a_request_become_fields(request_, fields):
    check_size(request_, 1000, 1000)
    assert fields_of(request_) == fields


@pytest.mark.parametrize(
    "request_",
    [
        sent("ClusterId=x&ClusterId=y"),
        sent("ClusterId=x", b'{"ClusterId": "x"}'),
        sent("ClusterId=x", b"ClusterId=x", **FORM),
        sent(body=b"[1]"),
        sent(body=b"[" * 100_000),
        sent(body=b"\xff"),
    ],
)
def test_what_contradicts_itself_is_refused(request_):
    with pytest.raises(InvalidParams):
        fields_of(request_)


@pytest.mark.parametrize("request_", [sent(body=b"x" * 1001), sent("a=" + "x" * 999)])
def test_what_is_too_large_is_refused(request_):
    with pytest.raises(InvalidParams):
        check_size(request_, 1000, 1000)


def test_which_action():
    assert action_of(sent(), "GetJob") == "GetJob"
    assert action_of(sent("Action=GetJob&Version=2024-07-30"), None) == "GetJob"
    assert action_of(sent(x_acs_action="GetJob", x_acs_version="2024-07-30"), None) == "GetJob"
    assert action_of(sent(body=b"Action=GetJob", **FORM), None) == "GetJob"
    for request, path in ((sent("Action=A"), "B"), (sent("Action=A", x_acs_action="B"), None)):
        with pytest.raises(InvalidParams):
            action_of(request, path)
    with pytest.raises(ActionNotFound):
        action_of(sent(), None)
    for request in (sent("Version=1"), sent(x_acs_version="1"), sent("Version=1", x_acs_version="2024-07-30")):
        with pytest.raises(NoSuchVersion):
            action_of(request, "GetJob")


@pytest.mark.parametrize(
    "text",
    [
        "403 POST /ehpc?JobSpec=%7B%22RunasUserPassword%22%3A%22canary%22%7D (me) 1ms referer=http://x/?PASSWORD=canary",
        "/?job%53pec=canary",
        "/login?next=%2Fehpc%3FRunasUser%2550assword%3Dcanary",
        "HTTPServerRequest(uri='/ehpc?a=1&BearerToken=canary', version=1)",
        "{'EhpcExtension': {'access_keys': {'alice': 'canary'}, 'clusters': {'x': {'password': \"ca'nary canary\"}}}}",
    ],
)
def test_redaction(text):
    assert "canary" not in redacted(text)


def test_what_need_not_be_hidden_stays(caplog):
    for text in ("http://localhost:8888/lab?token=abc", "200 GET /ehpc?ClusterId=local", "what? nothing", "100 %"):
        assert redacted(text) == text
    EhpcExtension()
    logging.getLogger("somebody").warning("at %s", "/?JobSpec=canary")
    assert "canary" not in caplog.text
    assert "?[hidden]" in caplog.text
