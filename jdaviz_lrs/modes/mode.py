"""Mode: what is particular to an instrument mode, in plain numbers and names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

__all__ = ["Mode"]


@dataclass(frozen=True)
class Mode:
    """An instrument mode.

    Attributes
    ----------
    exposure_type : str
        Its ``EXP_TYPE``; also the ``id`` of its aperture in the extract1d file, and the slit's name.
    instrument : str
        The same with other instrument modes of one detector and plate scale: the beginning of ``EXP_TYPE``.
    products : tuple of str
        ``DATAMODL`` of the 2-D spectra that are read.
    default_aperture : Mapping
        The aperture of the extract1d file in use, in its own words.
    calibration_width : float
        Detector pixels: of the aperture that the flux calibration is tied to.
    plate_scale : float
        Arcsec per detector pixel, nominally.
    detector_scale : float or None
        The same along the slit by the in-flight WCS; None where it is not known.
    at_source : bool
        Whether an aperture goes to a point source unless it is asked otherwise (the pipeline's
        ``SRCPOS_EXPTYPES``).
    two_point_nods : tuple of str
        ``PATTTYPE`` of the dithers with one other nod.
    nearest_nod : float
        Detector pixels between source and nod below which the two cannot be told apart.
    psf_apertures : tuple of str
        Names that the mode's aperture may have in a PSF file.
    bands : tuple of tuple of float
        Micron: in which spectra are judged and compared.
    resolving_power : tuple of tuple of float
        Two wavelengths (micron) with the resolving power at each, linear between; empty where not known.
    """

    exposure_type: str
    instrument: str
    products: tuple[str, ...]
    calibration_width: float
    plate_scale: float
    detector_scale: float | None
    at_source: bool
    two_point_nods: tuple[str, ...]
    nearest_nod: float
    psf_apertures: tuple[str, ...]
    bands: tuple[tuple[float, float], ...]
    resolving_power: tuple[tuple[float, float], ...] = ()
    default_aperture: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def of_unknown(self, exposure_type: str) -> Mode:
        """Return what can be said of a mode that is not known, in the manner of this one."""
        scale = self.detector_scale if exposure_type.startswith(self.instrument) else None
        return replace(self, exposure_type=exposure_type, detector_scale=scale, at_source=False)
