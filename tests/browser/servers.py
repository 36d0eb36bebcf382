"""The servers that a user starts: the stock `jdaviz` command, and JupyterLab."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Seconds to wait for anything, here and on a page: where others keep the cores busy, all takes long.
PATIENCE = 120

#: For a window of its own: it is sent every widget of the app before it shows one.
WINDOW_PATIENCE = 4 * PATIENCE

#: What JupyterLab says when a page closes while it is being written to.
CLOSED_PAGE = re.compile(
    r"Task exception was never retrieved\nfuture: .*WebSocketClosedError\(\)>\n"
    r"Traceback(?:.|\n)*?\ntornado\.websocket\.WebSocketClosedError\n"
)

TROUBLE = re.compile(r"Traceback|^\s*\w*(Error|Exception)\b|\bERROR\b|CRITICAL", re.MULTILINE)


@dataclass
class Server:
    """A running server: where it is, and what it has said so far."""

    url: str
    log_file: Path

    @property
    def log(self) -> str:
        return CLOSED_PAGE.sub("", self.log_file.read_text(errors="replace"))

    @property
    def trouble(self) -> list[str]:
        """What looks like an exception in the log, each with the lines that follow."""
        return [self.log[m.start() : m.start() + 3000] for m in TROUBLE.finditer(self.log)][:3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    folder: Path,
    log: Path,
    probe: str = "/",
    settings: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server in `folder`, with these settings in its environment, until the block ends."""
    # A user who starts with jdaviz has not set CRDS up; `BROWSER` opens none.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CRDS_")}
    environment |= {"PYTHONUNBUFFERED": "1", "BROWSER": "true", **(settings or {})}
    with (
        log.open("w") as out,
        subprocess.Popen(
            [str(Path(sys.executable).parent / command[0]), *command[1:]],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        server = Server(f"http://localhost:{port}", log)
        try:
            _await(server, process, probe)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _await(server: Server, process: subprocess.Popen, probe: str) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        assert process.poll() is None, f"the server stopped:\n{server.log}"
        try:
            urllib.request.urlopen(server.url + probe, timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    raise TimeoutError(f"no server after {PATIENCE} s:\n{server.log}")


def jdaviz(folder: Path, log: Path, settings: Mapping[str, str] | None = None, theme: str = "light"):
    """Start the `jdaviz` command as a user would in a folder of data."""
    port = free_port()
    return running(["jdaviz", "--theme", theme, "--port", str(port)], port, folder, log, "/readyz", settings)


def jupyterlab(folder: Path, log: Path):
    """Start JupyterLab in a folder of notebooks, without the password that a test cannot know.

    It knows nothing of the user's settings and workspaces, and asks nothing that lies over the page.
    """
    port = free_port()
    options = [
        "--no-browser", "--allow-root", f"--ServerApp.port={port}", "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True", "--LabApp.news_url=None", "--LabApp.check_for_updates_class="
        "jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    config = log.parent / "jupyter"
    (config / "labconfig").mkdir(parents=True, exist_ok=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "labconfig" / "page_config.json").write_text(json.dumps(quiet))
    settings = {"JUPYTER_CONFIG_DIR": str(config)}
    return running(["jupyter", "lab", *options], port, folder, log, "/api", settings)
