"""The standalone jdaviz app with an LRS observation loaded and the panel open.

`serve` starts the server; solara then renders `Page` of this module for every browser tab, each with an app
of its own.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jdaviz
import numpy as np
import solara
from astropy import units
from jdaviz import solara as stock
from numpy.typing import NDArray
from specutils import Spectrum

from jdaviz_lrs.app.guard import LOOPBACK, Guard, new_token
from jdaviz_lrs.app.guide import FAULT, STYLE, Guide
from jdaviz_lrs.errors import LRSError

__all__ = ["Page", "Session", "claim_port", "open_app", "serve"]

# The stock page ends the whole process when a tab is closed or reloaded; this server stays.
stock.on_kernel_start()


@dataclass(frozen=True, eq=False)
class Session:
    """What every tab shows.

    Attributes
    ----------
    image : Path
        The 2-D spectrum.
    references : Mapping of str to Path
        Kind of reference file (``extract1d``, ``apcorr``, ``psf``) to the file that the panel goes by.
    wavelength, flux : ndarray, (n_wavelength,)
        The truth, to compare with: micron, rising; Jy.
    """

    image: Path
    references: Mapping[str, Path]
    wavelength: NDArray[np.float64]
    flux: NDArray[np.float64]


session: Session | None = None


def open_app(session: Session) -> jdaviz.App:
    """Make a jdaviz app with the session's data loaded and the panel open, its aperture beside the trace."""
    app = jdaviz.App(api_hints_obj="jd")  # new_app would keep it for ever
    truth = Spectrum(spectral_axis=session.wavelength * units.um, flux=session.flux * units.Jy)
    app.load(str(session.image), format="JWST LRS", data_label="simulated s2d", auto_extract=False)
    app.load(truth, format="1D Spectrum", data_label="truth")
    lrs = app.plugins["LRS Extraction"]
    for kind, path in session.references.items():
        setattr(lrs, f"override_{kind}", str(path))
    lrs.use_source_posn = True
    lrs.position_offset = FAULT
    lrs.open_in_tray(scroll_to=False)
    return app


@solara.component
def Page() -> None:  # noqa: N802 - the name that solara looks for
    """One browser tab."""
    solara.Style(Path(jdaviz.__file__).parent / "solara.css")
    solara.Title("jdaviz: LRS Extraction")
    solara.use_memo(stock.create_shared_widgets, [])
    app, set_app = solara.use_state(None)
    # After the first render, or solara would show the app's own widgets a second time at the top level.
    solara.use_effect(lambda: set_app(open_app(session)), [])
    solara.Style(STYLE)
    with solara.Column(gap="0px"):
        if app is not None:
            Guide(app, session.wavelength, session.flux)
            solara.Column(children=[app._app])


def claim_port(port: int, host: str = "localhost") -> int:
    """Return `port`, or a free one for 0.

    Raises
    ------
    LRSError
        When another program uses it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            where = f"--port {port}" if host == "localhost" else f"--host {host} --port {port}"
            raise LRSError(f"{where}: cannot be used ({error}); give another.") from None
        return probe.getsockname()[1]


def serve(shown: Session, port: int, browser: bool = True, host: str = "localhost") -> None:
    """Serve a session until Ctrl-C, to its own pages; by another name than localhost to who has the token."""
    global session
    session = shown
    os.environ["SOLARA_APP"] = __name__
    from solara.server import settings
    from solara.server.starlette import ServerStarlette, app

    settings.theme.variant = "light"
    settings.theme.loader = "plain"
    settings.main.mode = "production"
    named = f"[{host}]" if ":" in host else host  # as an address is written
    token = "" if named in LOOPBACK else new_token()
    guarded = Guard(app, port, token=token)
    server = ServerStarlette(port=port, host=host, starlette_app=guarded, log_level="warning")
    address = f"http://{named}:{port}" + (f"/?token={token}" if token else "")
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, _stop)
    try:
        server.serve_threaded()
        server.wait_until_serving()
        print(f"jdaviz is at {address}   (Ctrl-C ends it)", flush=True)
        if browser:
            _show(address)
        server.join()
    except KeyboardInterrupt:
        logging.getLogger("uvicorn.error").disabled = True  # it reports its own end as a cancelled task
        server.stop_serving()
        print("\nStopped.", flush=True)


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def _show(url: str) -> None:
    try:
        webbrowser.get().open(url)
    except webbrowser.Error:
        print("No browser is at hand: open the address above in yours.", file=sys.stderr)
