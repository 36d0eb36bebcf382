"""A page of another site, open beside the demo in the same browser, cannot reach its server."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import expect

from tests.browser import servers

pytestmark = pytest.mark.browser

#: What the page tries; each ends with "reached" or with what the browser makes of the refusal.
ATTACK = """
<script>
const at = "localhost:%d", done = (name) => (outcome) => { window.outcomes[name] = outcome };
window.outcomes = {};
const socket = new WebSocket(`ws://${at}/jupyter/api/kernels/evil/channels?session_id=evil`);
socket.onopen = () => done("socket")("reached");
socket.onerror = () => done("socket")("refused");
fetch(`http://${at}/`).then(() => "reached", () => "refused").then(done("read"));
fetch(`http://${at}/_solara/api/close/evil?session_id=evil`, {method: "POST", mode: "no-cors"})
  .then(() => "sent", () => "refused").then(done("write"));
const script = document.createElement("script");
script.src = `http://${at}/readyz`;
script.onload = () => done("script")("reached");
script.onerror = () => done("script")("refused");
document.head.append(script);
</script>
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder, port = tmp_path_factory.mktemp("demo"), servers.free_port()
    command = ["jdaviz-lrs", "demo", "here", "--no-browser", "--port", str(port)]
    with servers.running(command, port, folder, folder / "server.log") as server:
        yield server


@pytest.fixture
def hostile(demo):
    """The address of the page, on another port."""
    content = (ATTACK % int(demo.url.rpartition(":")[2])).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("localhost", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}/"
        server.shutdown()


def test_a_hostile_page_reaches_nothing(demo, hostile, system_chromium):
    context = system_chromium.new_context()
    context.set_default_timeout(1000 * servers.PATIENCE)
    own = context.new_page()
    own.goto(demo.url)
    # the server's own page has its socket: the app is there
    expect(own.get_by_text("LRS Extraction").filter(visible=True).first).to_be_visible()

    page = context.new_page()
    answers = {}
    page.on("response", lambda response: answers.update({response.url.split("?")[0]: response.status}))
    page.goto(hostile)
    page.wait_for_function("Object.keys(window.outcomes).length === 4")
    outcomes = page.evaluate("window.outcomes")
    assert outcomes == {"socket": "refused", "read": "refused", "write": "sent", "script": "refused"}
    # what is sent without a look at the answer arrives, and is refused there
    assert answers[f"{demo.url}/_solara/api/close/evil"] == 403
    context.close()
