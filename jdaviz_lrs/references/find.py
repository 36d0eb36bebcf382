"""The reference files of one extraction: given, found, or the built-in models for want of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jdaviz_lrs.parameters import ExtractionParameters
from jdaviz_lrs.products.image import SpectralImage
from jdaviz_lrs.references.apcorr import ApertureCorrection, read_apcorr
from jdaviz_lrs.references.extract1d import BUILT_IN_EXTRACT1D, Extract1dReference, read_extract1d
from jdaviz_lrs.references.lrs_psf import built_in_psf
from jdaviz_lrs.references.psf import SpectralPSF, read_psf

__all__ = ["BUILT_IN_APCORR", "References", "find_references"]

BUILT_IN_APCORR = "built-in model of the LRS PSF"


@dataclass(frozen=True, eq=False)
class References:
    """What an extraction refers to.

    Attributes
    ----------
    extract1d : Extract1dReference
    apcorr : ApertureCorrection or None
        None: the correction is computed from `psf`.
    psf : SpectralPSF
    parameters : ExtractionParameters
        Of the image's aperture in `extract1d`.
    notes : tuple of str
        Which built-in models stand in for files.
    context : str or None
        The CRDS context that the files were found with.
    """

    extract1d: Extract1dReference
    apcorr: ApertureCorrection | None
    psf: SpectralPSF
    parameters: ExtractionParameters
    notes: tuple[str, ...] = ()
    context: str | None = None

    @property
    def names(self) -> dict[str, str]:
        """Kind of reference to the name of the file or model."""
        apcorr = BUILT_IN_APCORR if self.apcorr is None else self.apcorr.name
        return {"extract1d": self.extract1d.name, "apcorr": apcorr, "psf": self.psf.name}


def find_references(
    image: SpectralImage,
    override_extract1d: str | Path | None = None,
    override_apcorr: str | Path | None = None,
    override_psf: str | Path | None = None,
) -> References:
    """Collect the reference files for an image.

    Parameters
    ----------
    image : SpectralImage
    override_extract1d, override_apcorr, override_psf : path-like, optional
        Files to use, as in the pipeline.

    Raises
    ------
    LRSError
        For a file that is missing, of the wrong kind, or has nothing for this exposure.
    """
    observation = image.observation
    extract1d = read_extract1d(override_extract1d) if override_extract1d else BUILT_IN_EXTRACT1D
    apcorr = read_apcorr(override_apcorr, observation.subarray) if override_apcorr else None
    psf = read_psf(override_psf) if override_psf else built_in_psf()
    notes = []
    if not override_extract1d:
        notes.append(f"No extract1d reference file: the {extract1d.name} is used.")
    if not override_apcorr:
        notes.append(
            f"No aperture-correction reference file: a correction from the {BUILT_IN_APCORR} is used."
        )
    return References(
        extract1d=extract1d,
        apcorr=apcorr,
        psf=psf,
        parameters=extract1d.parameters(observation.slit_name, observation.spectral_order),
        notes=tuple(notes),
    )
