"""Origin: which observation a spectrum comes from."""

from __future__ import annotations

from dataclasses import dataclass

from astropy.io.fits import Header

__all__ = ["Origin"]


@dataclass(frozen=True, eq=False)
class Origin:
    """What the headers of a product tell about where a spectrum comes from; None where they do not.

    Attributes
    ----------
    target : str or None
        Name of the target.
    sky : tuple of float or None
        Where the target should be, right ascension and declination in degrees.
    exposure_type, slit_name, source_type : str or None
    spectral_order : int or None
    unit : str or None
        Of the flux.
    offset : tuple of float or None
        Dither offsets in the ideal frame, in arcsec: inputs with one offset lie on the same pixels.
    exposure_time, integration_time : float or None
        Seconds, effective.
    header : Header or None
        Primary header of the product.
    """

    target: str | None = None
    sky: tuple[float, float] | None = None
    exposure_type: str | None = None
    slit_name: str | None = None
    source_type: str | None = None
    spectral_order: int | None = None
    unit: str | None = None
    offset: tuple[float, float] | None = None
    exposure_time: float | None = None
    integration_time: float | None = None
    header: Header | None = None
