"""Where a spectrum comes from, by its image or by the headers of its file."""

from __future__ import annotations

from astropy.io.fits import Header

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.origin import Origin

__all__ = ["origin_of_headers", "origin_of_image"]


def origin_of_headers(primary: Header, table: Header, unit: str | None) -> Origin:
    """Tell the origin of a spectrum by the headers of its file: the primary one and that of the table.

    Both without what cannot be; see `jdaviz_lrs.products.sound.sound_cards`.
    """
    numbers = {
        name: _number(primary.get(key))
        for name, key in (("x", "XOFFSET"), ("y", "YOFFSET"), ("ra", "TARG_RA"), ("dec", "TARG_DEC"))
    }
    x, y, ra, dec = numbers.values()
    return Origin(
        target=_word(primary.get("TARGNAME")) or _word(primary.get("TARGPROP")),
        sky=None if None in (ra, dec) else (ra, dec),
        exposure_type=_word(primary.get("EXP_TYPE")),
        slit_name=_word(table.get("SLTNAME")),
        source_type=_word(table.get("SRCTYPE")),
        spectral_order=table.get("SPORDER"),
        unit=_word(unit),
        offset=None if None in (x, y) else (x, y),
        exposure_time=_number(primary.get("EFFEXPTM")),
        integration_time=_number(primary.get("EFFINTTM")),
        header=primary,
    )


def origin_of_image(image: SpectralImage) -> Origin:
    """Tell the origin of a spectrum by the image that it was extracted from."""
    seen = image.observation
    meta = None if image.metadata is None else image.metadata.meta
    known = meta is not None
    sky = (meta.target.ra, meta.target.dec) if known else (None, None)
    offset = seen.x_offset, seen.y_offset
    return Origin(
        target=(meta.target.catalog_name or meta.target.proposer_name) if known else None,
        sky=None if None in sky else sky,
        exposure_type=seen.exposure_type,
        slit_name=seen.slit_name,
        source_type=seen.source_type,
        spectral_order=seen.spectral_order,
        unit="Jy",
        offset=None if None in offset else offset,
        exposure_time=meta.exposure.exposure_time if known else None,
        integration_time=meta.exposure.integration_time if known else None,
    )


def _word(value: object) -> str | None:
    return (value.strip() or None) if isinstance(value, str) else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
