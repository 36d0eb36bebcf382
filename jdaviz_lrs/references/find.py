"""The reference files of one extraction: given, found in CRDS, or the built-in models for want of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF, enclosed_fraction
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.modes import LRS_SLIT, Mode
from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.references.apcorr import ApertureCorrection, read_apcorr
from jdaviz_lrs.references.crds_files import CRDSFiles, crds_files, is_configured
from jdaviz_lrs.references.extract1d import (
    WHOLE_IMAGE,
    Extract1dReference,
    built_in_extract1d,
    read_extract1d,
)
from jdaviz_lrs.references.lrs_psf import ACCURACY, ELSEWHERE, built_in_psf
from jdaviz_lrs.references.psf import read_psf

__all__ = ["KINDS", "References", "asks_crds", "find_references"]

KINDS = ("extract1d", "apcorr", "psf")

CONTRADICTION = 0.05
"""Share of the light by which PSF and aperture correction may disagree: what is known of either is better."""

NOT_APPLICABLE = {
    "extract1d": "the aperture is the whole image",
    "apcorr": "no aperture correction is made",
    "psf": "box extraction takes the place of optimal extraction",
}
"""What the pipeline does where CRDS answers that a kind of file does not apply."""


@dataclass(frozen=True, eq=False)
class References:
    """What an extraction refers to.

    Attributes
    ----------
    extract1d : Extract1dReference
    apcorr : ApertureCorrection or None
        None: the correction is computed from `psf`, or there is none where it does not apply.
    psf : SpectralPSF
    parameters : ExtractionParameters
        Of the image's aperture in `extract1d`.
    files : Mapping of str to path-like
        Kinds of reference to the files that were read.
    stand_ins : Mapping of str to str
        Kinds of reference for which a built-in model stands in, and why.
    not_applicable : frozenset of str
        Kinds of reference that by the rules of CRDS do not apply to the exposure.
    context : str or None
        The CRDS context that files were found with.
    doubts : Mapping of str to str
        Kinds of reference that another one contradicts, and by how much.
    accuracy : str
        How good the built-in PSF is for the image.
    """

    extract1d: Extract1dReference
    apcorr: ApertureCorrection | None
    psf: SpectralPSF
    parameters: ExtractionParameters
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    not_applicable: frozenset[str] = frozenset()
    context: str | None = None
    files: Mapping[str, str | Path] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    accuracy: str = ACCURACY

    @property
    def paths(self) -> tuple[str | Path, ...]:
        """Of the files that were read."""
        return tuple(self.files.values())

    @property
    def names(self) -> dict[str, str]:
        """Kind of reference to the name of the file (``crds://`` before those of CRDS) or model."""
        apcorr = f"computed from {self.psf.name}" if self.apcorr is None else self.apcorr.name
        names = {"extract1d": self.extract1d.name, "apcorr": apcorr, "psf": self.psf.name}
        return names | dict.fromkeys(self.not_applicable, "N/A")

    @property
    def notes(self) -> tuple[str, ...]:
        """What is missing, and what is used instead, in plain sentences."""
        return self.notes_on(KINDS)

    def notes_on(self, kinds: Collection[str]) -> tuple[str, ...]:
        """Return the `notes` as far as some kinds of reference are concerned."""
        kinds_by_reason: dict[str, list[str]] = {}
        for kind in KINDS:
            if kind in self.stand_ins and kind in kinds:
                kinds_by_reason.setdefault(self.stand_ins[kind], []).append(kind)
        instead = [f"{reason}; {self._instead(lacking)}." for reason, lacking in kinds_by_reason.items()]
        absent = [
            f"CRDS ({self.context}) has no {kind} file for this kind of exposure: {NOT_APPLICABLE[kind]}, "
            "as in the pipeline."
            for kind in KINDS
            if kind in self.not_applicable and kind in kinds
        ]
        return (
            *instead,
            *absent,
            *(self.doubts[kind] for kind in KINDS if kind in self.doubts and kind in kinds),
        )

    def _instead(self, lacking: Collection[str]) -> str:
        """Say what is used instead of some kinds of reference, and how good the built-in PSF is."""
        names = {kind: self.names[kind] for kind in lacking}
        if self.apcorr is None and {"apcorr", "psf"} <= {*names}:
            names["apcorr"] = "computed from the PSF"
        told = "used instead of the files " + ", ".join(f"{kind}: {name}" for kind, name in names.items())
        modelled = "psf" in self.stand_ins and {"apcorr", "psf"} & {*names}
        return f"{told} ({self.accuracy})" if modelled else told


def find_references(
    image: SpectralImage,
    override_extract1d: str | Path | None = None,
    override_apcorr: str | Path | None = None,
    override_psf: str | Path | None = None,
    *,
    crds: bool | None = None,
    progress: Callable[[str], None] | None = None,
) -> References:
    """Collect the reference files for an image.

    A file that is given wins. For each of the others CRDS is asked, by the image's header, as the pipeline
    would; where CRDS has no answer, a built-in model stands in, and `References.notes` says so.

    Parameters
    ----------
    image : SpectralImage
    override_extract1d, override_apcorr, override_psf : path-like, optional
        Files to use, as in the pipeline.
    crds : bool, optional
        Whether to ask CRDS. By default it is asked when ``CRDS_PATH`` or ``CRDS_SERVER_URL`` is set in the
        environment and the package ``crds`` is installed. False: never. True: always, and what it cannot
        answer is an error.
    progress : callable, optional
        Is told, a line each, what CRDS downloads.

    Returns
    -------
    references : References

    Raises
    ------
    LRSError
        For a file that is missing, of the wrong kind, or has nothing for this exposure; with ``crds=True``
        also where CRDS has no answer.
    """
    given = {"extract1d": override_extract1d, "apcorr": override_apcorr, "psf": override_psf}
    given = {kind: path for kind, path in given.items() if path}
    found = _ask(image, [kind for kind in KINDS if kind not in given], crds, progress)
    paths = {**found.files, **given}

    def load(kind, read, model, *more):
        if kind not in paths:
            return model
        content = read(paths[kind], *more)
        return replace(content, name=f"crds://{content.name}") if kind in found.files else content

    observation = image.observation
    aperture = WHOLE_IMAGE if "extract1d" in found.not_applicable else built_in_extract1d(image.mode)
    extract1d = load("extract1d", read_extract1d, aperture)
    parameters = extract1d.parameters(observation.slit_name, observation.spectral_order)
    if observation.source_type != "POINT":
        # As in the pipeline: the file's use_source_posn is for point sources.
        parameters = replace(parameters, use_source_posn=None)
    apcorr = load("apcorr", read_apcorr, None, observation.subarray)
    psf = load("psf", read_psf, built_in_psf(), image.mode.psf_apertures)
    return References(
        extract1d=extract1d,
        apcorr=apcorr,
        psf=psf,
        doubts=_doubts(apcorr, psf, image.mode),
        accuracy=ACCURACY if image.mode is LRS_SLIT else ELSEWHERE,
        parameters=parameters,
        stand_ins=found.missing,
        not_applicable=found.not_applicable,
        context=found.context or None,
        files=paths,
    )


@lru_cache(maxsize=8)  # of references that are kept as well
def _doubts(apcorr: ApertureCorrection | None, psf: SpectralPSF, mode: Mode) -> dict[str, str]:
    """Ask the PSF whether the correction of the calibration aperture can be."""
    if apcorr is None or apcorr.refusal:
        return {}
    width = mode.calibration_width
    wavelength = np.unique(mode.bands)
    corrections = apcorr.at(np.full(wavelength.shape, width), wavelength, mode.plate_scale)
    enclosed = enclosed_fraction(psf, -0.5 * width, 0.5 * width, wavelength)
    apart = np.abs(corrections * enclosed - 1.0)
    if not (apart > CONTRADICTION).any():  # nor where the PSF has no such wavelength
        return {}
    worst = np.nanargmax(apart)
    return {
        "apcorr": f"At {wavelength[worst]:g} um {apcorr.name} has {1 / corrections[worst]:.1%} of the light "
        f"in {width:g} px, but {psf.name} {enclosed[worst]:.1%}: one is not of this instrument."
    }


def _ask(
    image: SpectralImage,
    kinds: list[str],
    crds: bool | None,
    progress: Callable[[str], None] | None,
) -> CRDSFiles:
    """Ask CRDS, or say why not; nothing is imported, and no time spent, unless it is to be asked."""
    if not kinds:
        return CRDSFiles()
    problem = _no_question(image, crds)
    if problem is None:
        try:
            found = crds_files(image.metadata.get_crds_parameters(), kinds, progress)
        except LRSError as error:
            problem = str(error)
    if problem is not None:
        found = CRDSFiles(missing=dict.fromkeys(kinds, problem))
    if crds and found.missing:
        kind, reason = next(iter(found.missing.items()))
        raise LRSError(f"{reason}: give the {kind} file with override_{kind}, or crds=False.")
    return found


def _no_question(image: SpectralImage, crds: bool | None = None) -> str | None:
    """Say why CRDS is not asked, if it is not."""
    if crds is False:
        return "CRDS was not to be asked"
    if crds is None and not find_spec("crds"):
        return 'crds is not installed (pip install "jdaviz-lrs[crds]")'
    if crds is None and not is_configured():
        return "CRDS is not set up (neither CRDS_PATH nor CRDS_SERVER_URL is in the environment)"
    if image.metadata is None:
        return "CRDS needs a header to find files by, but the image has none"
    return None


def asks_crds(image: SpectralImage, *overrides: str | Path | None) -> bool:
    """Whether `find_references` asks CRDS, which may take long, with these files given."""
    return not (overrides and all(overrides)) and _no_question(image) is None
