"""A small OpenID Connect issuer, real as far as HTTP goes, for tests."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CLIENT, CLIENT_SECRET, AUDIENCE = "pages", "not-so-secret", "ensemble"


class Issuer:
    """Signs in whoever :attr:`subject` says, without asking, and gives any token one wants."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.subject = "anna"
        self.changes: dict[str, Any] = {}  # to the claims of the next ID tokens
        self.keys: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.away = False
        self._codes: dict[str, dict[str, str]] = {}
        self.add_key("rsa", rsa.generate_private_key(65537, 2048))
        self.add_key("ec", ec.generate_private_key(ec.SECP256R1()))
        outer = self

        class Handler(_Handler):
            issuer = outer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def add_key(self, kid: str, key: Any) -> None:
        self.keys[kid] = key

    def public_pem(self, kid: str) -> bytes:
        return (
            self.keys[kid]
            .public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
        )

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "sub": self.subject,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + 300,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, kid: str = "rsa", headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token, good unless ``claims`` (None: leave out) make it bad."""
        algorithm = "ES256" if kid.startswith("ec") else "RS256"
        return jwt.encode(
            self.claims(**claims),
            self.keys[kid],
            algorithm,
            headers={"kid": kid, **(headers or {})},
        )

    def unsigned(self, **claims: Any) -> str:
        """A token with ``alg=none``."""
        return jwt.encode(self.claims(**claims), None, "none", headers={"kid": "rsa"})

    def confused(self, **claims: Any) -> str:
        """A token "signed" by HS256 with the public key as the secret (RS/HS confusion)."""
        import hmac

        head = _b64(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "rsa"}).encode())
        signed = f"{head}.{_b64(json.dumps(self.claims(**claims)).encode())}"
        mac = hmac.new(self.public_pem("rsa"), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{_b64(mac)}"

    def jwks(self) -> dict[str, Any]:
        keys = []
        for kid, key in self.keys.items():
            kind = (
                jwt.algorithms.ECAlgorithm if kid.startswith("ec") else jwt.algorithms.RSAAlgorithm
            )
            keys.append({**kind.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"})
        return {"keys": keys}

    def authorize(self, asked: dict[str, str]) -> str:
        assert asked["response_type"] == "code" and asked["code_challenge_method"] == "S256"
        assert asked["client_id"] == CLIENT and "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.url}
        return f"{asked['redirect_uri']}?{urlencode(back)}"

    def exchange(self, form: dict[str, str], authorization: str) -> dict[str, Any] | None:
        begun = self._codes.pop(form.get("code", ""), None)
        known = base64.b64encode(f"{CLIENT}:{CLIENT_SECRET}".encode()).decode()
        challenge = _b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if (
            begun is None
            or authorization != f"Basic {known}"
            or begun["redirect_uri"] != form["redirect_uri"]
            or begun["code_challenge"] != challenge
        ):
            return None
        claims: dict[str, Any] = {"aud": CLIENT, "nonce": begun["nonce"], **self.changes}
        return {"id_token": self.token(**claims), "token_type": "Bearer", "access_token": "x"}


class _Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        self.issuer.requests[url.path] += 1
        if self.issuer.away:
            self._json(503, {})
        elif url.path == "/.well-known/openid-configuration":
            base = self.issuer.url
            endpoints = {
                "issuer": base,
                "jwks_uri": f"{base}/keys",
                "authorization_endpoint": f"{base}/authorize",
                "token_endpoint": f"{base}/token",
            }
            self._json(200, {**endpoints, **self.issuer.metadata})
        elif url.path == "/keys":
            self._json(200, self.issuer.jwks())
        elif url.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            self.send_response(302)
            self.send_header("Location", self.issuer.authorize(asked))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            self._json(404, {})

    def do_POST(self) -> None:
        self.issuer.requests[self.path] += 1
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        answer = self.issuer.exchange(form, self.headers.get("Authorization", ""))
        self._json(200 if answer else 400, answer or {"error": "invalid_grant"})

    def _json(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
