"""A Shopify that may lie: the sandbox's, with another discovery document, other keys and ID tokens of a test's making.

Everything true comes from the sandbox behind it, so that a lie is all that differs from a sign-in that works.
"""

import base64
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from typing import Any

import httpx2
import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from support.shopper import TRUSTED

Claims = dict[str, Any]
Forge = Callable[[Claims], str | None]
FORWARDED = ("authorization", "content-type", "origin", "user-agent")
ISSUER = "https://shopify.com/authentication/74758783200"


def new_key(name: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": name, "use": "sig", "alg": "RS256"})


def signed(claims: Claims, key: RSAKey, **header: str) -> str:
    return jwt.encode({"alg": "RS256", "kid": str(key.kid), **header}, claims, key)


KEY = new_key("id_1")


class Crooked:
    """`forge` makes the ID token from the true claims, None leaves it out; `published` are the keys in the JWKS;
    `lies` are what its discovery documents say instead of the truth, None for nothing; `asked` counts the calls."""

    def __init__(self, url: str, sandbox: str) -> None:
        self.url = url
        self.sandbox = sandbox
        self.issuer = ISSUER
        self.published: list[RSAKey | OctKey] = [KEY]
        self.lies: dict[str, str | None] = {}
        self.forge: Forge = lambda claims: signed(claims, KEY)
        self.asked: Counter[str] = Counter()

    def routes(self) -> list[Route]:
        return [
            Route("/.well-known/openid-configuration", self.openid_configuration),
            Route("/.well-known/customer-account-api", self.customer_account_api),
            Route("/jwks", self.jwks),
            Route("/token", self.token, methods=["POST"]),
        ]

    async def openid_configuration(self, _: Request) -> Response:
        self.asked["discovery"] += 1
        at = f"{self.sandbox}/authentication"
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{at}/oauth/authorize",
            "token_endpoint": f"{self.url}/token",
            "end_session_endpoint": f"{at}/logout",
            "jwks_uri": f"{self.url}/jwks",
        } | self.lies
        return JSONResponse({name: value for name, value in told.items() if value is not None})

    async def customer_account_api(self, _: Request) -> Response:
        return JSONResponse({"graphql_api": f"{self.sandbox}/customer/api/2026-07/graphql"} | self.lies)

    async def jwks(self, _: Request) -> Response:
        self.asked["jwks"] += 1
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.published]})

    async def token(self, request: Request) -> Response:
        self.asked["token"] += 1
        headers = {name: request.headers[name] for name in FORWARDED if name in request.headers}
        async with httpx2.AsyncClient(trust_env=False, verify=TRUSTED) as http:
            url = f"{self.sandbox}/authentication/oauth/token"
            reply = await http.post(url, content=await request.body(), headers=headers)
        body = reply.json()
        if "id_token" in body:
            body["id_token"] = self.forge(claims_of(body["id_token"]))
        return JSONResponse({name: value for name, value in body.items() if value is not None}, reply.status_code)


def claims_of(token: str) -> Claims:
    payload = token.split(".")[1]
    claims: Claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


@contextmanager
def crooked_shopify(sandbox: str, ahead_seconds: int = 0) -> Iterator[Crooked]:
    """By its clock, which is so far ahead of ours, it is the same time as long as it runs."""
    headers = [("date", formatdate(time.time() + ahead_seconds, usegmt=True))]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        crooked = Crooked(f"http://127.0.0.1:{listener.getsockname()[1]}", sandbox)
        app = Starlette(routes=list(crooked.routes()))
        config = uvicorn.Config(
            app, lifespan="off", log_level="warning", timeout_graceful_shutdown=1, headers=headers, date_header=False
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="crooked", daemon=True)
        thread.start()
        try:
            yield crooked
        finally:
            server.should_exit = True
            thread.join()
