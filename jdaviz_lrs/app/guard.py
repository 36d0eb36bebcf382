"""Guard: lets no page but the server's own talk to the server.

A server on this machine answers every program that reaches it, the pages of any web site in the user's
browser included: by a request or a WebSocket from another origin, or by a name that is made to lead here (DNS
rebinding).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["LOOPBACK", "Guard", "new_token"]

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""Names of this machine that lead nowhere else."""

FOREIGN = "This server answers its own pages only; open the address that it printed."
NO_TOKEN = "The address lacks the token that the server printed; open it as it was printed."
POLICY_VIOLATION = 1008
"""How a WebSocket is closed (RFC 6455, 7.4.1)."""


def new_token() -> str:
    """Return a word that nobody can guess."""
    return secrets.token_urlsafe(32)


class Guard:
    """An ASGI application around another, which it keeps strangers from.

    Parameters
    ----------
    app : ASGI application
    port : int
        Of the server.
    hosts : iterable of str, optional
        Names that the server is called by; all of them, where there is a token.
    token : str, optional
        Without it nobody is let in, as in Jupyter: given once in the address, then kept in a cookie.
    """

    def __init__(self, app: ASGIApp, port: int, hosts: Iterable[str] = LOOPBACK, token: str = "") -> None:
        self.app, self.port, self.token = app, port, token
        self.hosts = {f"{host}:{port}" for host in hosts}
        self.cookie = f"jdaviz-lrs-{port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
        elif problem := self._problem(scope):
            await _refuse(problem, scope, receive, send)
        elif self.token and scope["type"] == "http" and self._told(scope) is not None:
            await self._let_in(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def _problem(self, scope: Scope) -> str:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if not self.token and host not in self.hosts:
            return FOREIGN
        if origin is None and scope["type"] == "websocket":  # which every browser names
            return FOREIGN
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return FOREIGN
        # what a foreign page embeds has no origin; a link may lead here
        foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        if foreign and headers.get("sec-fetch-mode") != "navigate":
            return FOREIGN
        if self.token and not self._known(scope, headers):
            return NO_TOKEN
        return ""

    def _told(self, scope: Scope) -> str | None:
        """Return the token in the address."""
        return parse_qs(scope["query_string"].decode("latin-1")).get("token", [None])[0]

    def _known(self, scope: Scope, headers: Headers) -> bool:
        cookies = cookie_parser(headers.get("cookie", ""))
        given = (self._told(scope), cookies.get(self.cookie))
        return any(
            secrets.compare_digest(one.encode(), self.token.encode()) for one in given if one is not None
        )

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the token in a cookie, and out of the address, which others may see."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        rest = urlencode({name: value for name, value in query.items() if name != "token"}, doseq=True)
        path = "/" + scope["path"].lstrip("/")  # with two of them it would lead to another site
        response = RedirectResponse(path + (f"?{rest}" if rest else ""), status_code=303)
        response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
        await response(scope, receive, send)


async def _refuse(problem: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": problem})
    else:
        await PlainTextResponse(problem, status_code=403)(scope, receive, send)
