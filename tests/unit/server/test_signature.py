"""Signatures against the official SDK's own code, and everything that must not pass."""

from __future__ import annotations

import dataclasses
import hashlib

import pytest
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest
from hypothesis import given
from hypothesis import strategies as st

from ehpc_jupyter.errors import (
    IllegalTimestamp,
    IncompleteSignature,
    InvalidAccessKeyId,
    SignatureDoesNotMatch,
    SignatureNonceUsed,
)
from ehpc_jupyter.server.nonces import Nonces
from ehpc_jupyter.server.signature import ACS3, Sent, Verifier, sha1_signature

NOW = 1_789_000_000.0
DATE = "2026-09-10T00:26:40Z"
SECRETS = {"jupyter": "s3cret", "empty": ""}
EMPTY = hashlib.sha256(b"").hexdigest()


def urlencoded(query):
    from urllib.parse import urlencode

    return urlencode(query)


def acs3(query=None, *, key="jupyter", secret="s3cret", path="/ehpc", body=b"", nonce="n1", drop=(), **more):
    """What the SDK would send."""
    headers = {
        "host": "127.0.0.1:8888",
        "x-acs-version": "2024-07-30",
        "x-acs-action": "CreateJob",
        "user-agent": " AlibabaCloud ",
        "x-acs-date": DATE,
        "x-acs-signature-nonce": nonce,
        "accept": "application/json",
        "x-acs-content-sha256": hashlib.sha256(body).hexdigest(),
        **more,
    }
    request = DaraRequest()
    request.method, request.pathname, request.query = "POST", path, query or {}
    request.headers = {name: value for name, value in headers.items() if name not in drop}
    sign = Utils.get_authorization(request, ACS3, headers["x-acs-content-sha256"], key, secret)
    return Sent("POST", path, urlencoded(query or {}), {**headers, "authorization": sign}, body)


def sha1(query, *, secret="s3cret", **more):
    values = {
        "Action": "GetJob",
        "Version": "2024-07-30",
        "Timestamp": DATE,
        "SignatureNonce": "n1",
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "AccessKeyId": "jupyter",
        **query,
        **more,
    }
    values = {name: value for name, value in values.items() if value is not None}
    values["Signature"] = Utils.get_rpcsignature(values, "POST", secret)
    return Sent("POST", "/", urlencoded(values), {"host": "127.0.0.1"})


@pytest.fixture
def verifier():
    return Verifier(SECRETS.get)


@given(st.dictionaries(st.text(st.characters(categories=["L", "N"]), min_size=1), st.text()))
def test_acs3_as_the_sdk_signs(query):
    # The SDK leaves names as they are; those of the API are letters.
    query = {f"Q{''.join(c for c in name if c.isascii())}{number}": v for number, (name, v) in enumerate(query.items())}
    query = {name: value.encode("utf-8", "ignore").decode() for name, value in query.items()}
    assert Verifier(SECRETS.get).signer(acs3(query), NOW) == "jupyter"


@given(st.dictionaries(st.text("abcXYZ", min_size=1), st.text(st.characters(exclude_categories=["Cs"]))))
def test_sha1_as_the_sdk_signs(query):
    assert Verifier(SECRETS.get).signer(sha1({f"q{name}": value for name, value in query.items()}), NOW) == "jupyter"


def test_who_does_not_sign_is_nobody(verifier):
    for headers in ({}, {"authorization": "token abc"}, {"authorization": "Bearer x"}):
        assert verifier.signer(Sent("POST", "/ehpc", "ClusterId=local", headers), NOW) is None


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (acs3(secret="wrong"), SignatureDoesNotMatch),
        (acs3(key="nobody"), InvalidAccessKeyId),
        (acs3(key="empty", secret=""), InvalidAccessKeyId),
        (acs3(**{"x-acs-date": "2026-09-10T00:10:00Z"}), IllegalTimestamp),
        (acs3(**{"x-acs-date": "2026-09-10T00:42:00Z"}), IllegalTimestamp),
        (acs3(**{"x-acs-date": "yesterday"}), IllegalTimestamp),
        *((acs3(drop=[name]), IncompleteSignature) for name in ("host", "x-acs-action", "x-acs-date", "x-acs-version")),
        (acs3(drop=["x-acs-signature-nonce"]), IncompleteSignature),
        (acs3(drop=["x-acs-content-sha256"]), IncompleteSignature),
        (acs3(nonce=""), IncompleteSignature),
        (acs3(nonce="n" * 129), IncompleteSignature),
        (dataclasses.replace(acs3(), path="/"), SignatureDoesNotMatch),
        (dataclasses.replace(acs3(), method="GET"), SignatureDoesNotMatch),
        (dataclasses.replace(acs3(), query="a=1"), SignatureDoesNotMatch),
        (dataclasses.replace(acs3({"a": "1"}), query="a=1&a=1"), SignatureDoesNotMatch),
        (dataclasses.replace(acs3(body=b"{}"), body=b'{"x":1}'), SignatureDoesNotMatch),
        (Sent("POST", "/", "", {"authorization": "ACS3-HMAC-SHA256 x"}), IncompleteSignature),
        (
            Sent("POST", "/", "", {"authorization": "ACS3-HMAC-SM3 Credential=a,SignedHeaders=b,Signature=c"}),
            IncompleteSignature,
        ),
        (Sent("POST", "/", "Signature=x", {}), IncompleteSignature),
        (sha1({}, secret="wrong"), SignatureDoesNotMatch),
        (sha1({}, Timestamp="2026-09-09T00:00:00Z"), IllegalTimestamp),
        (sha1({}, SignatureMethod="HMAC-MD5"), IncompleteSignature),
        (sha1({}, SignatureNonce=None), IncompleteSignature),
        (sha1({}, AccessKeyId="nobody"), InvalidAccessKeyId),
        (dataclasses.replace(sha1({}), query=sha1({}).query + "&Action=CreateJob"), IncompleteSignature),
        (dataclasses.replace(sha1({}), query=sha1({}).query + "&ClusterId=x"), SignatureDoesNotMatch),
        (dataclasses.replace(sha1({}), body=b"ClusterId=x", form=True), SignatureDoesNotMatch),
    ],
)
def test_what_must_not_pass(verifier, sent, error):
    with pytest.raises(error) as caught:
        verifier.signer(sent, NOW)
    assert "s3cret" not in str(caught.value)


def test_a_header_changed_on_the_way(verifier):
    sent = acs3()
    changed = dataclasses.replace(sent, headers={**sent.headers, "x-acs-action": "StopJobs"})
    with pytest.raises(SignatureDoesNotMatch):
        verifier.signer(changed, NOW)


@pytest.mark.parametrize("make", [acs3, sha1])
def test_once(verifier, make):
    assert verifier.signer(make({}), NOW) == "jupyter"
    for later in (0, 1, 800):
        with pytest.raises(SignatureNonceUsed):
            verifier.signer(make({}), NOW + later)


def test_a_wrong_signature_does_not_use_up_the_nonce(verifier):
    with pytest.raises(SignatureDoesNotMatch):
        verifier.signer(acs3(secret="wrong"), NOW)
    assert verifier.signer(acs3(), NOW) == "jupyter"


def test_a_form_is_signed_with_the_query(verifier):
    values = {"AccessKeyId": "jupyter", "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "Timestamp": DATE}
    values |= {"SignatureNonce": "n1", "ClusterId": "a b"}
    signature = sha1_signature("POST", values.items(), "s3cret")
    body = urlencoded({"ClusterId": values.pop("ClusterId")}).encode()
    assert verifier.signer(Sent("POST", "/", urlencoded({**values, "Signature": signature}), {}, body, True), NOW)


def test_nonces_are_forgotten_when_their_date_is_refused_anyway():
    nonces = Nonces(900)
    assert nonces.first("k", "a", NOW, NOW)
    assert not nonces.first("k", "a", NOW, NOW + 899)
    assert nonces.first("other", "a", NOW, NOW)
    assert nonces.first("k", "b", NOW + 1000, NOW + 1000)
    assert nonces.first("k", "a", NOW + 1000, NOW + 1000)


def test_a_full_memory_forgets_nothing_that_could_come_again():
    nonces = Nonces(900, capacity=3)
    for number in range(4):
        assert nonces.first("k", f"n{number}", NOW + number, NOW)
    for number in range(4):
        assert not nonces.first("k", f"n{number}", NOW + number, NOW)
    assert not nonces.first("k", "new but old", NOW, NOW)
    assert nonces.first("k", "new", NOW + 5, NOW)
    assert nonces.first("other", "n0", NOW, NOW)
