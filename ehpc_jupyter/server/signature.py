"""Who signed a request: ACS3-HMAC-SHA256 (headers) and the older HMAC-SHA1 (query), as the official SDK signs. Pure.

Canonical forms after the SDK's own code (alibabacloud-tea-openapi 0.4.6, ``Utils.get_authorization`` and
``Utils.get_rpcsignature``), with which the tests compare them.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from ehpc_jupyter.errors import (
    IllegalTimestamp,
    IncompleteSignature,
    InvalidAccessKeyId,
    SignatureDoesNotMatch,
    SignatureNonceUsed,
)
from ehpc_jupyter.server.nonces import Nonces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

ACS3 = "ACS3-HMAC-SHA256"
#: How far the client's clock may be from ours, seconds.
WINDOW_S = 15 * 60
#: Headers that an ACS3 signature must cover: without them it could be moved to another action, time or body.
MUST_SIGN = frozenset(
    ["host", "x-acs-action", "x-acs-content-sha256", "x-acs-date", "x-acs-signature-nonce", "x-acs-version"]
)
_AUTHORIZATION = re.compile(
    r"ACS3-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{64})"
)
_STAMP = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Sent:
    """A request as it came over the wire.

    Attributes:
        method: upper case.
        path: as in the request line, without the query.
        query: as in the request line, without ``?``.
        headers: names in lower case.
        body: all of it.
        form: whether the body is ``application/x-www-form-urlencoded``.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""
    form: bool = False


class Verifier:
    """Checks signatures; remembers the nonces of those that were right.

    Args:
        secret_of: an access key's secret by its id, or None.
    """

    def __init__(self, secret_of: Callable[[str], str | None]) -> None:
        self._secret_of = secret_of
        self._nonces = Nonces(WINDOW_S)

    def signer(self, sent: Sent, now: float) -> str | None:
        """The id of the access key that signed a request; None if nobody did.

        Args:
            sent: the request.
            now: UNIX seconds.

        Raises:
            IncompleteSignature, InvalidAccessKeyId, IllegalTimestamp, SignatureDoesNotMatch, SignatureNonceUsed: it is
                signed, and not as it should be.
        """
        if sent.headers.get("authorization", "").startswith("ACS3-"):
            return self._acs3(sent, now)
        pairs = parameters(sent.query)
        if any(name == "Signature" for name, _ in pairs):
            return self._sha1(
                sent, pairs + (parameters(sent.body.decode("utf-8", "replace")) if sent.form else []), now
            )
        return None

    def _acs3(self, sent: Sent, now: float) -> str:
        match = _AUTHORIZATION.fullmatch(sent.headers["authorization"].strip())
        if not match:
            raise IncompleteSignature(
                f"Authorization must read '{ACS3} Credential=<access key id>,SignedHeaders=<a;b>,Signature=<hex>'"
            )
        key, signed = match[1], match[2].split(";")
        lacking = sorted((MUST_SIGN - set(signed)) | {name for name in signed if name not in sent.headers})
        if lacking:
            raise IncompleteSignature(f"these headers must be sent and signed: {', '.join(lacking)}")
        secret = self._secret(key)
        date = _time(sent.headers["x-acs-date"], "x-acs-date", now)
        if not _same(hashlib.sha256(sent.body).hexdigest(), sent.headers["x-acs-content-sha256"].strip()):
            raise SignatureDoesNotMatch("the body is not the one that x-acs-content-sha256 stands for")
        canonical = acs3_canonical(sent, signed)
        if not _same(acs3_signature(canonical, secret), match[3]):
            raise SignatureDoesNotMatch(
                f"check the secret of access key {key}, and that nothing on the way changes host ({sent.headers['host']}), "
                f"path ({sent.path}) or headers"
            )
        self._once(key, sent.headers["x-acs-signature-nonce"], date, now)
        return key

    def _sha1(self, sent: Sent, pairs: list[tuple[str, str]], now: float) -> str:
        values = dict(pairs)
        if len(values) != len(pairs):
            raise IncompleteSignature("a parameter is given twice")
        needed = ("AccessKeyId", "SignatureMethod", "SignatureNonce", "SignatureVersion", "Timestamp")
        lacking = [name for name in needed if not values.get(name)]
        if lacking:
            raise IncompleteSignature(f"these parameters are missing: {', '.join(lacking)}")
        if (values["SignatureMethod"], values["SignatureVersion"]) != ("HMAC-SHA1", "1.0"):
            raise IncompleteSignature("SignatureMethod must be HMAC-SHA1 and SignatureVersion 1.0")
        key = values["AccessKeyId"]
        secret = self._secret(key)
        date = _time(values["Timestamp"], "Timestamp", now)
        if not _same(sha1_signature(sent.method, pairs, secret), values["Signature"]):
            raise SignatureDoesNotMatch(f"check the secret of access key {key}")
        self._once(key, values["SignatureNonce"], date, now)
        return key

    def _secret(self, key: str) -> str:
        secret = self._secret_of(key)
        if not secret:  # an empty secret would let anybody sign
            raise InvalidAccessKeyId(
                f"{key!r}; 'jupyter' with Jupyter's token as secret, or one of c.EhpcExtension.access_keys"
            )
        return secret

    def _once(self, key: str, nonce: str, date: float, now: float) -> None:
        # Only after the signature proved right: who does not know the secret cannot fill the memory.
        if not nonce or len(nonce) > 128:
            raise IncompleteSignature("a nonce has 1 to 128 characters")
        if not self._nonces.first(key, nonce, date, now):
            raise SignatureNonceUsed("sign every request with a nonce of its own; a repeated one is not carried out")


def parameters(text: str) -> list[tuple[str, str]]:
    """The parameters of a query or a form, decoded, in their order."""
    return parse_qsl(text, keep_blank_values=True)


def acs3_canonical(sent: Sent, signed: Iterable[str]) -> str:
    """The canonical request whose hash ACS3 signs."""
    names = sorted(signed)
    headers = "".join(f"{name}:{sent.headers[name].strip()}\n" for name in names)
    # Sorted before it is encoded, as the SDK does it.
    query = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(parameters(sent.query)))
    digest = sent.headers["x-acs-content-sha256"].strip()
    return "\n".join([sent.method, sent.path or "/", query, headers, ";".join(names), digest])


def acs3_signature(canonical: str, secret: str) -> str:
    """Hexadecimal signature of a canonical request."""
    text = f"{ACS3}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def sha1_signature(method: str, pairs: Iterable[tuple[str, str]], secret: str) -> str:
    """Base64 signature of a request in the older form; the path is no part of it."""
    text = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(pairs) if name != "Signature")
    source = f"{method}&%2F&{_encoded(text)}"
    return base64.b64encode(hmac.new(f"{secret}&".encode(), source.encode(), hashlib.sha1).digest()).decode()


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _same(ours: str, theirs: str) -> bool:
    return hmac.compare_digest(ours.encode(), theirs.encode("utf-8", "replace"))


def _time(text: str, name: str, now: float) -> float:
    try:
        then = datetime.datetime.strptime(text, _STAMP).replace(tzinfo=datetime.timezone.utc).timestamp()
    except ValueError:
        raise IllegalTimestamp(f"{name} must read yyyy-MM-ddTHH:mm:ssZ, in UTC") from None
    if abs(now - then) > WINDOW_S:
        raise IllegalTimestamp(f"{name} is {text}; set the client's clock")
    return then
