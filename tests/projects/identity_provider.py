"""A small OpenID Connect provider: discovery, token and userinfo over real HTTP, strict about what it is sent."""

import base64
import hashlib
import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt


class IdentityProvider:
    """Knows one client and one person; `authorize` is what their browser does there."""

    client_id, secret = "evalapp", "the client's secret of thirty-two"

    def __init__(self, url):
        self.url = url
        self.person = {"sub": "42", "email": "nora@example.com", "email_verified": True, "name": "Nora Brandt"}
        self.codes = {}

    def authorize(self, url):
        """Check the request to sign in, and return the query that the browser carries back."""
        assert url.startswith(f"{self.url}/authorize?")
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["client_id"] == self.client_id
        assert asked["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(asked["scope"].split())
        self.codes["the-code"] = asked
        return {"code": "the-code", "state": asked["state"]}

    def answer(self, path, form, headers):
        """Return (status, JSON) for a request of the server."""
        if path == "/.well-known/openid-configuration":
            return 200, {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/userinfo",
                "jwks_uri": f"{self.url}/jwks",
                "token_endpoint_auth_methods_supported": ["client_secret_post"],
            }
        if path == "/token":
            asked = self.codes.pop(form.get("code"), None)
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            if not asked or form["client_secret"] != self.secret or challenge != asked["code_challenge"]:
                return 400, {"error": "invalid_grant"}
            claims = {"iss": self.url, "aud": self.client_id, "exp": time.time() + 60, "iat": time.time()}
            token = jwt.encode({**claims, **self.person}, self.secret, algorithm="HS256")
            return 200, {"access_token": "token-of-nora", "token_type": "Bearer", "id_token": token}
        if path == "/userinfo" and headers["Authorization"] == "Bearer token-of-nora":
            return 200, self.person
        return 404, {}


@contextmanager
def identity_provider():
    """Serve one on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length") or 0)
            form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            status, data = provider.answer(urlsplit(self.path).path, form, self.headers)
            body = json.dumps(data).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *arguments):
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = IdentityProvider(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
