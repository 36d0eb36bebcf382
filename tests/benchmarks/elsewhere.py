"""Extractions of what our simulator did not draw, or with a PSF that is wrong, against the truth.

The shared scene (where it is beside the repository) is by another generator, with a PSF as measured on sky;
the drizzled images are the simulator's cal, rectified by the pipeline. Each is extracted with the PSF it was
made with, and with four that are wrong in ways that no refinement has a term for.
"""

from __future__ import annotations

import logging
import re
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from astropy.stats import mad_std
from jwst.resample import ResampleSpecStep
from numpy.typing import NDArray

from jdaviz_lrs import LRSError, extract, read
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.references.apcorr import ApertureCorrection, read_apcorr
from jdaviz_lrs.references.find import References, find_references
from jdaviz_lrs.references.psf import read_psf
from jdaviz_lrs.simulate import Scene, simulate, to_model
from jdaviz_lrs.simulate.psf import simulated_psf
from jdaviz_lrs.simulate.references import write_apcorr
from tests.benchmarks.timing import medians, verdict

SHARED = Path(__file__).parents[3] / "shared" / "data" / "scene"
SHARED_FILES = {
    "cal": "nod1_cal.fits.gz",
    "cal, not subtracted": "nod1_cal_nobsub.fits.gz",
    "s2d": "l2_s2d.fits",
    "s2d, not subtracted": "l2_s2d_nobsub.fits",
    "s2d of both nods": "l3_s2d.fits",
}

BANDS = ((5.0, 8.0), (8.0, 11.0), (11.0, 13.5))
"""Micron."""

BUILT_IN = "built in"
PSFS = ("right", "15 % too narrow", "no wings", "leaning", BUILT_IN)

SKY = {"subtract_background": True, "bkg_fit": "poly", "bkg_order": 1}
REGIONS = [[2.5], [17.5], [40.5], [44.5]]
OPTIMAL = {"extraction_type": "optimal", "use_source_posn": True}
KINDS = {
    "box": {"extract_width": 8, "use_source_posn": True},
    "pipeline": OPTIMAL | {"pipeline_compatible": True},
    "none": OPTIMAL,
    "all": OPTIMAL | {"refinements": ("all",)},
}

WRONG_BIAS, WRONG_PULL, RIGHT_BIAS, RIGHT_PULL = 3.0, 3.0, 1.0, 1.5
"""Percent of the flux in any band, beyond three (right: two) errors of the median; width of the pulls."""

ABOUT_THE_FLUX = re.compile("plain corrected sum|^The brightest trace|was dropped")
"""In the notes that speak of the flux, rather than tell what was done."""


@dataclass(frozen=True, eq=False)
class Seen:
    """An image with its truth.

    Attributes
    ----------
    image : SpectralImage
    wavelength, flux : ndarray
        The truth, in micron (ascending) and Jy.
    psf : SpectralPSF
    apcorr : ApertureCorrection
        Both as the image was made.
    present : frozenset of str
        Refinements that have something to do in it.
    """

    image: SpectralImage
    wavelength: NDArray[np.float64]
    flux: NDArray[np.float64]
    psf: SpectralPSF
    apcorr: ApertureCorrection
    present: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """How an extraction compares with the truth, and what it says of itself."""

    bias: tuple[float, ...]
    bias_error: tuple[float, ...]
    pull_width: float
    beyond: int
    advice: tuple[str, ...]
    notes: int

    @property
    def is_wrong(self) -> bool:
        """Whether the flux is off by 3 %, and by three errors, in any band, or the errors by a factor 3."""
        far = (abs(b) > max(WRONG_BIAS, 3 * e) for b, e in zip(self.bias, self.bias_error, strict=True))
        return any(far) or self.pull_width > WRONG_PULL

    @property
    def is_right(self) -> bool:
        """Whether the flux is within 1 %, or two errors, in each band."""
        near = (abs(b) < max(RIGHT_BIAS, 2 * e) for b, e in zip(self.bias, self.bias_error, strict=True))
        return all(near) and self.pull_width < RIGHT_PULL

    @property
    def speaks(self) -> bool:
        """Whether it advises, or notes that something is wrong with the flux."""
        return bool(self.advice) or self.notes > 0


def shared() -> Iterator[tuple[str, Seen]]:
    """The scene by another generator; nothing where it is not beside the repository."""
    if not SHARED.is_dir():
        return
    with np.load(SHARED / "truth.npz") as truth:
        order = np.argsort(truth["wave"])
        light = truth["wave"][order], truth["flux"][order]
    references = read_psf(SHARED / "psf.fits"), read_apcorr(SHARED / "apcorr.fits", "FULL")
    for name, file in SHARED_FILES.items():
        yield f"shared {name}", Seen(read(SHARED / file), *light, *references, frozenset({"outliers"}))


def simulated(folder: Path) -> Iterator[tuple[str, Seen]]:
    """The simulator's cal, and what the pipeline's resampling makes of it."""
    psf = simulated_psf()
    apcorr = read_apcorr(write_apcorr(psf, folder / "apcorr.fits"), "FULL")
    for subtracted in (True, False):
        observation = simulate(Scene(noisy_variance=True, nod_subtracted=subtracted), "cal")
        truth, more = observation.truth, "" if subtracted else ", not subtracted"
        order = np.argsort(truth.wavelength)
        light = truth.wavelength[order], truth.flux[order]
        yield f"simulated cal{more}", Seen(read(to_model(observation)), *light, psf, apcorr)
        step = ResampleSpecStep()
        step.pixel_scale_ratio = 1.0
        yield f"drizzled s2d{more}", Seen(read(step.process(to_model(observation))), *light, psf, apcorr)


def reference(psf: SpectralPSF, kind: str) -> SpectralPSF:
    """Return a PSF as it is, or with something wrong in it."""
    n_column = psf.data.shape[1]
    offset = (np.arange(n_column) - psf.center_col) / psf.subpix
    if kind == "15 % too narrow":
        data = np.array([np.interp(offset / 0.85, offset, row, left=0, right=0) for row in psf.data])
    elif kind == "no wings":
        data = np.where(np.abs(offset) < 3.0, psf.data, 0.0)
    elif kind == "leaning":
        data = psf.data * (1 + 0.25 * np.tanh(offset))
    else:
        return psf
    return replace(psf, data=data)


def references_of(seen: Seen, kind: str) -> References:
    """Return the right aperture correction and a PSF of some kind."""
    given = find_references(seen.image, crds=False)
    psf = given.psf if kind == BUILT_IN else reference(seen.psf, kind)
    lacking = ("extract1d", "psf") if kind == BUILT_IN else ("extract1d",)
    missing = {name: why for name, why in given.stand_ins.items() if name in lacking}
    return replace(given, apcorr=seen.apcorr, psf=psf, stand_ins=missing)


def changes_of(image: SpectralImage, kind: str) -> dict[str, object]:
    """Return the parameters of an extraction."""
    if image.observation.bkg_subtract == "COMPLETE":
        return KINDS[kind]
    return KINDS[kind] | SKY | ({"bkg_coeff": REGIONS} if kind == "box" else {"model_nod_pair": False})


def compare(spectrum: ExtractedSpectrum, seen: Seen) -> Found:
    """Compare a spectrum with the truth."""
    true = np.interp(spectrum.wavelength, seen.wavelength, seen.flux)
    share, error = spectrum.flux / true - 1, spectrum.flux_error / true
    used = np.isfinite(share) & (error > 0)
    bands = [used & (spectrum.wavelength >= a) & (spectrum.wavelength < b) for a, b in BANDS]
    inside = np.any(bands, axis=0)
    pull = share[inside] / error[inside]
    return Found(
        bias=tuple(100 * float(np.median(share[band])) for band in bands),
        # a median is known 1.25 times worse than a mean
        bias_error=tuple(125 * float(np.median(error[band]) / np.sqrt(band.sum())) for band in bands),
        pull_width=max(float(mad_std(share[band] / error[band])) for band in bands),
        beyond=int((np.abs(pull) > 10).sum()),
        advice=tuple(one.refinement for one in spectrum.advice),
        notes=sum(bool(ABOUT_THE_FLUX.search(note)) for note in spectrum.notes),
    )


def combinations(seen: Seen) -> Iterator[tuple[str, str]]:
    """Kinds of PSF and of extraction."""
    yield "right", "box"
    if not seen.image.resampled:
        yield "right", "pipeline"
    for psf in PSFS:
        yield psf, "none"
        yield psf, "all"


def speeds(seen: Seen) -> dict[str, float]:
    """Milliseconds of an extraction in memory, its verdict included, kind by kind in turn."""
    references = references_of(seen, "right")

    def call(kind: str):
        changes = changes_of(seen.image, kind)
        return lambda: extract(seen.image, references=references, **changes)

    times = medians({kind: call(kind) for kind in ("box", "none", "all")}, runs=15)
    return {kind: 1e3 * seconds for kind, seconds in times.items()}


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    if not SHARED.is_dir():
        print("The shared scene is not beside the repository: the simulator's alone.")
    print(
        "Median bias in %, width of the pulls (of the worst band), points beyond 10 sigma; then what it says:"
    )
    print("advice, and notes about the flux. The aperture correction is right for all.")
    heads = ("image", "PSF", "", "5-8", "8-11", "11-13.5", "+-", "pulls", ">10")
    print(("{:32}{:17}{:10}" + 6 * "{:>8}").format(*heads) + "  says")
    rows, times, label = [], {}, ""
    with tempfile.TemporaryDirectory() as folder:
        for name, seen in (*shared(), *simulated(Path(folder))):
            for psf, kind in combinations(seen):
                try:
                    references, changes = references_of(seen, psf), changes_of(seen.image, kind)
                    spectrum = extract(seen.image, references=references, **changes)
                except LRSError as error:
                    print(f"{name:32}{psf:17}{kind:10}  {error}")
                    continue
                found = compare(spectrum, seen)
                rows.append((name, psf, kind, found, seen.present))
                print_row("" if label == name else name, psf, kind, found)
                label = name
            if "not subtracted" not in name:
                times[name] = speeds(seen)
    print_counts(rows)
    print_times(times)


def print_row(name: str, psf: str, kind: str, found: Found) -> None:
    """Print how one extraction fared."""
    numbers = (*found.bias, max(found.bias_error), found.pull_width)
    numbers = "".join(f"{n:8.2f}" for n in numbers) + f"{found.beyond:8d}"
    said = [*found.advice, *(["note"] * found.notes)]
    judged = "wrong" if found.is_wrong else ""
    if found.is_wrong and not found.speaks:
        judged = "WRONG, SILENT"
    print(f"{name:32}{psf:17}{kind:10}{numbers}  {', '.join(said):32}{judged}".rstrip(), flush=True)


def print_counts(rows: list[tuple[str, str, str, Found, frozenset[str]]]) -> None:
    """Print how many were wrong, and whether they said so; how many were right, and accused."""
    print()
    for kind in KINDS:
        if kind == "pipeline":  # it neither advises nor judges itself
            continue
        of = [(psf, found, present) for _, psf, k, found, present in rows if k == kind]
        wrong = [found for _, found, _ in of if found.is_wrong]
        silent = sum(not found.speaks for found in wrong)
        right = [(psf, found, present) for psf, found, present in of if found.is_right]
        accused = sum(is_accused(*one) for one in right)
        print(
            f"{kind:6}{len(of):4} extractions: {len(wrong)} wrong, {silent} silent {verdict(silent, 0)}; "
            f"{len(right)} right, {accused} accused {verdict(accused, 0.02 * len(right))}"
        )


def is_accused(psf: str, found: Found, present: frozenset[str]) -> bool:
    """Whether a right result is called wrong; to advise on what is really there is no accusation."""
    there = present | ({"width"} if psf != "right" else set())
    return found.notes > 0 or bool(set(found.advice) - there)


def print_times(times: dict[str, dict[str, float]]) -> None:
    """Print how long extractions take; a box is to follow the mouse."""
    print("\nOne extraction in memory with its verdict, in turn, medians, ms")
    print(f"{'image':32}{'box':>8}{'none':>8}{'all':>8}")
    for name, ms in times.items():
        numbers = "".join(f"{ms[kind]:8.1f}" for kind in ("box", "none", "all"))
        print(f"{name:32}{numbers}   box <= 5 ms {verdict(ms['box'], 5)}")


if __name__ == "__main__":
    main()
