import asyncio

import pytest

from jdaviz_lrs.app.guard import LOOPBACK, Guard, new_token

PORT = 8765
OWN = f"localhost:{PORT}"
AWAY = f"telescope.example:{PORT}"


async def app(scope, receive, send):
    """Answer whatever is let in."""
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})
    else:
        await send({"type": "websocket.accept"})


def ask(kind="http", host=OWN, query="", token="", **headers):
    """Let a guard answer one request; return all it sends."""
    named = {"host": host, **{name.replace("_", "-"): value for name, value in headers.items()}}
    scope = {
        "type": kind,
        "method": "GET",
        "path": "/page",
        "query_string": query.encode(),
        "headers": [(n.encode(), v.encode("latin-1")) for n, v in named.items() if v is not None],
    }
    sent = []

    async def receive():
        return {"type": "websocket.connect"} if kind == "websocket" else {"type": "http.request"}

    async def send(message):
        sent.append(message)

    asyncio.run(Guard(app, PORT, token=token)(scope, receive, send))
    return sent


def status(**request):
    return ask(**request)[0]["status"]


def talks(**request):
    """Whether a WebSocket is let in."""
    (answer,) = ask("websocket", **request)
    return answer["type"] == "websocket.accept"


@pytest.mark.parametrize("name", LOOPBACK)
def test_its_own_page_is_let_in(name):
    host = f"{name}:{PORT}"
    assert status(host=host) == status(host=host, origin=f"http://{host}") == 200
    assert talks(host=host, origin=f"http://{host}")


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "http://localhost", f"http://localhost:{PORT + 1}", f"http://evil.example:{PORT}",
     "null", ""],
)  # fmt: skip
def test_a_foreign_page_is_not(origin):
    start, body = ask(origin=origin)
    assert start["status"] == 403
    assert b"its own pages" in body["body"]
    (answer,) = ask("websocket", origin=origin)
    assert (answer["type"], answer["code"]) == ("websocket.close", 1008)


@pytest.mark.parametrize("name", ["evil.example", "localhost.evil.example", "0.0.0.0", "192.168.1.5"])
def test_a_name_that_was_made_to_lead_here_is_not(name):
    host = f"{name}:{PORT}"
    assert status(host=host) == 403
    assert not talks(host=host, origin=f"http://{host}")


@pytest.mark.parametrize("host", ["localhost", f"localhost:{PORT + 1}", "", None])
def test_another_port_or_no_name_is_not(host):
    assert status(host=host) == 403


def test_a_socket_without_an_origin_is_not():
    assert not talks()


def test_what_a_foreign_page_embeds_is_refused_and_a_link_is_followed():
    assert status(sec_fetch_site="cross-site", sec_fetch_mode="no-cors") == 403
    assert status(sec_fetch_site="cross-site", sec_fetch_mode="navigate") == 200
    assert status(sec_fetch_site="same-origin", sec_fetch_mode="cors") == 200


@pytest.fixture
def token():
    return new_token()


def test_without_its_token_nobody_is_let_in(token):
    for query in ("", "token=", "token=guess", f"token={token}x", "token=é"):
        start, body = ask(host=AWAY, query=query, token=token)
        assert start["status"] == 403
        assert b"token" in body["body"]
    assert not talks(host=AWAY, origin=f"http://{AWAY}", token=token)
    assert not talks(host=AWAY, origin=f"http://{AWAY}", cookie=f"jdaviz-lrs-{PORT}=guess", token=token)


def test_the_token_is_given_once(token):
    start, _ = ask(host=AWAY, query=f"a=1&token={token}", token=token)
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    assert (start["status"], headers["location"]) == (303, "/page?a=1")
    assert {"httponly", "samesite=strict"} <= {*headers["set-cookie"].lower().split("; ")}
    cookie = headers["set-cookie"].split(";")[0]
    assert status(host=AWAY, cookie=cookie, token=token) == 200
    assert talks(host=AWAY, origin=f"http://{AWAY}", cookie=cookie, token=token)
    assert not talks(host=AWAY, origin="http://evil.example", cookie=cookie, token=token)


def test_tokens_differ():
    assert len({new_token() for _ in range(100)}) == 100
