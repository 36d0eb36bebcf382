"""The demonstration: an observation with known truth, from the simulator to its spectrum in jdaviz."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from jdaviz_lrs.data.spectrum import ExtractedSpectrum

__all__ = ["compare", "draw", "run"]

#: Wavelength ranges of the table, in micron.
RANGES = ((5.0, 6.0), (6.0, 8.0), (8.0, 10.0), (10.0, 12.0), (12.0, 13.5))

#: Distinct for colour-blind eyes too.
EXTRACTED, TRUE = "#0072b2", "#d55e00"


def run(directory: Path, port: int = 0, browser: bool = True, host: str = "localhost") -> None:
    """Simulate an observation, extract it, compare it with the truth, and serve it in jdaviz until Ctrl-C.

    In jdaviz the aperture begins beside the trace, and a guide above tells how to mend it (`app.guide`).

    Parameters
    ----------
    directory : Path
        Where the observation, ``extracted_x1d.fits`` and ``extracted.png`` are written.
    port : int, optional
        Of the server; 0 for any free one.
    browser : bool, optional
        Whether to open the page in a browser.
    host : str, optional
        Name or address that the server is reached by; others than this machine's own ask for a token.
    """
    print(f"Simulating a MIRI LRS observation with known truth in {directory}", flush=True)
    from jdaviz_lrs.app.server import Session, claim_port, serve
    from jdaviz_lrs.extraction.extract import extract
    from jdaviz_lrs.simulate import Scene, write_observation

    port = claim_port(port, host)
    scene = Scene(seed=7)
    files = write_observation(directory, scene, cal=False)
    references = {kind: files[kind] for kind in ("extract1d", "apcorr", "psf")}
    overrides = {f"override_{kind}": path for kind, path in references.items()}
    spectrum = extract(files["nod1_s2d"], use_source_posn=True, **overrides)
    truth = scene.flux(spectrum.wavelength)
    x1d = spectrum.write(directory / "extracted_x1d.fits", overwrite=True)
    figure = draw(spectrum, truth, directory / "extracted.png")
    print("\n".join(["", *compare(spectrum, truth), "", f"wrote {x1d}", f"wrote {figure}", ""]), flush=True)
    order = np.argsort(spectrum.wavelength)
    shown = Session(files["nod1_s2d"], references, spectrum.wavelength[order], truth[order])
    serve(shown, port, browser, host)


def compare(spectrum: ExtractedSpectrum, truth: NDArray[np.float64]) -> list[str]:
    """Set the extracted flux against the true one, range by range.

    Parameters
    ----------
    spectrum : ExtractedSpectrum
    truth : ndarray, (n_wavelength,)
        True flux density at its wavelengths, Jy.

    Returns
    -------
    list of str
        The lines of a table; the last column is the standard deviation of (extracted - true) / error, 1 for
        errors that are right.
    """
    lines = [
        "wavelength   extracted      true   extracted   scatter",
        "    um          mJy        mJy    / true     / error",
    ]
    for low, high in RANGES:
        inside = (spectrum.wavelength >= low) & (spectrum.wavelength < high) & np.isfinite(spectrum.flux)
        flux, true, error = spectrum.flux[inside], truth[inside], spectrum.flux_error[inside]
        lines.append(
            f"{low:4.1f} - {high:4.1f}  {1e3 * flux.mean():8.4f}  {1e3 * true.mean():8.4f}  "
            f"{flux.mean() / true.mean():8.4f}  {np.std((flux - true) / error):8.2f}"
        )
    return lines


def draw(spectrum: ExtractedSpectrum, truth: NDArray[np.float64], path: Path) -> Path:
    """Draw the extracted spectrum on the true one, and their ratio, as a PNG; returns its path."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from jdaviz_lrs.products.files import whole_file

    figure = Figure(figsize=(9, 6), layout="constrained")
    FigureCanvasAgg(figure)
    top, bottom = figure.subplots(2, sharex=True, height_ratios=(3, 1))
    wavelength, flux, error = spectrum.wavelength, 1e3 * spectrum.flux, 1e3 * spectrum.flux_error
    usable = (wavelength > 5) & (wavelength < 13.5)
    top.fill_between(wavelength, flux - error, flux + error, color=EXTRACTED, alpha=0.3, lw=0, step="mid")
    top.step(wavelength, flux, where="mid", color=EXTRACTED, lw=1.2, label="extracted, with its error")
    top.plot(wavelength, 1e3 * truth, color=TRUE, lw=1, label="truth of the simulation")
    top.set(ylabel="flux density (mJy)", xlim=(4.8, 13.7))
    shown = (1e3 * truth)[usable]
    top.set_ylim(0, 1.25 * shown.max())
    top.legend(frameon=False)
    bottom.fill_between(wavelength, 1 - error / (1e3 * truth), 1 + error / (1e3 * truth), color="0.85", lw=0)
    bottom.step(wavelength, spectrum.flux / truth, where="mid", color=EXTRACTED, lw=1)
    bottom.axhline(1, color=TRUE, lw=1)
    bottom.set(xlabel="wavelength (micron)", ylabel="extracted / true", ylim=(0.94, 1.06))
    for axes in (top, bottom):
        axes.tick_params(direction="in", top=True, right=True)
    with whole_file(path, overwrite=True) as temporary:
        figure.savefig(temporary, dpi=150)
    return path
