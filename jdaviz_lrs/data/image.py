"""SpectralImage: a 2-D spectrum as the rest of the package sees it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy.coordinates import angular_separation
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.engine.trace import SourceLocation, locate_source
from jdaviz_lrs.modes import DEFAULT, Mode, mode_of

if TYPE_CHECKING:
    from astropy.modeling import Model
    from gwcs import WCS
    from stdatamodels.jwst.datamodels import MultiSpecModel

__all__ = ["Observation", "SpectralImage"]

Image = NDArray[np.float64]

#: What depends on the image's WCS and wavelengths alone, and is computed once.
_GEOMETRY = (
    "disp_index",
    "xdisp_index",
    "pixel_scale",
    "row_wavelength",
    "band_rows",
    "source",
    "source_by_pipeline",
)

#: What the WCS gives besides, once.
_TRANSFORMS = ("_from_sky", "from_focal_plane")


@dataclass(frozen=True)
class Observation:
    """What the header tells about the exposure, under the pipeline's names.

    Attributes
    ----------
    exposure_type : str
        ``EXP_TYPE``, e.g. ``MIR_LRS-FIXEDSLIT``; picks the aperture of the extract1d file.
    source_type : str or None
        ``SRCTYPE``: ``POINT``, ``EXTENDED``, ``UNKNOWN``.
    slit_name : str
        What the aperture's ``id`` must be.
    spectral_order : int
    subarray : str or None
    photom, bkg_subtract : str or None
        Status of the pipeline's steps, ``COMPLETE`` where they were run.
    dithered_ra, dithered_dec : float or None
        Where the source was meant to be, in degrees.
    target_motion : tuple of float or None
        By how much a moving target was displaced, right ascension and declination in degrees, so as to lie
        at its mean place among all exposures: products that combine them are fixed to the target.
    x_offset, y_offset : float or None
        Dither offsets in the ideal frame, in arcsec.
    exposures : int or None
        Combined in a rectified image; None where the header does not tell.
    primary_type : str or None
        Dither pattern, e.g. ``ALONG-SLIT-NOD``.
    v2_ref, v3_ref, v3yangle, vparity : float or None
        The aperture's place in the telescope's focal plane (arcsec, degrees).
    """

    exposure_type: str = DEFAULT.exposure_type
    source_type: str | None = None
    slit_name: str = DEFAULT.exposure_type
    spectral_order: int = 1
    subarray: str | None = None
    photom: str | None = None
    bkg_subtract: str | None = None
    dithered_ra: float | None = None
    dithered_dec: float | None = None
    target_motion: tuple[float, float] | None = None
    x_offset: float | None = None
    y_offset: float | None = None
    exposures: int | None = None
    primary_type: str | None = None
    v2_ref: float | None = None
    v3_ref: float | None = None
    v3yangle: float | None = None
    vparity: float | None = None

    def source_position(self, with_motion: bool = True) -> tuple[float, float] | None:
        """Right ascension and declination of the source, in degrees, a moving target's at its mean place."""
        if self.dithered_ra is None or self.dithered_dec is None:
            return None
        ra, dec = (with_motion and self.target_motion) or (0.0, 0.0)
        return self.dithered_ra + ra, self.dithered_dec + dec


@dataclass(frozen=True, eq=False)
class SpectralImage:
    """A calibrated 2-D spectrum, its orientation, NaNs, DQ and units settled.

    The dispersion runs along the second-to-last axis, the slit along the last one. A stack of integrations
    has a leading axis. Where a pixel of the product is not good, data and variances are NaN, as after the
    pipeline's own matching of NaNs and flags.

    Attributes
    ----------
    data : ndarray, ([n_int,] n_disp, n_xdisp)
        Surface brightness (or flux per pixel), in `unit`.
    var_poisson, var_rnoise, var_flat : ndarray, same shape
        Variances, in `unit` squared; zeros where the product has none (see `missing`).
    dq : ndarray of uint32, same shape
        The pipeline's flags.
    good : ndarray of bool, same shape
        False where any plane is not finite or DO_NOT_USE is set.
    wavelength : ndarray, (n_disp, n_xdisp)
        In micron, NaN outside the slit.
    unit : str
        ``MJy/sr`` or ``Jy`` (per pixel).
    pixel_area : float
        Solid angle of a pixel in steradian.
    observation : Observation
    wcs : gwcs.WCS or None
        Pixel (x, y) of the file to right ascension, declination (deg) and wavelength (micron).
    bounding_box : tuple of tuple of float
        ``((disp_first, disp_last), (xdisp_first, xdisp_last))`` where the WCS is valid, in the file's pixels.
    resampled : bool
        True for a rectified product (s2d), False for a detector image (cal).
    horizontal : bool
        True when the file's dispersion runs along its x axis, so that this image is its transpose.
    origin : tuple of int
        Row and column, in the file's (transposed, where `horizontal`) array, of this image's first pixel:
        detector images are cut to the bounding box of the WCS.
    file_shape : tuple of int
        Shape of the 2-D array in the file, in this image's orientation, before the cut; the image's own
        unless given.
    margins : tuple of ndarray or None
        The data above and below the cut, (rows, n_xdisp): the pipeline's smoothing reaches into them.
    contributing : ndarray of bool, (n_exposure, n_disp, n_xdisp), or None
        Exposures that were combined in each pixel; None where the product does not tell.
    missing : tuple of str
        The planes that the product does not have.
    notes : tuple of str
        What else the file has that is odd, in plain sentences.
    file_name : str
    metadata : MultiSpecModel or None
        The product's primary header, ready to be carried over.
    """

    data: Image
    var_poisson: Image
    var_rnoise: Image
    var_flat: Image
    dq: NDArray[np.uint32]
    good: NDArray[np.bool_]
    wavelength: Image
    unit: str = "MJy/sr"
    pixel_area: float = 1.0
    observation: Observation = field(default_factory=Observation)
    wcs: WCS | None = None
    bounding_box: tuple[tuple[float, float], tuple[float, float]] | None = None
    resampled: bool = True
    horizontal: bool = False
    origin: tuple[int, int] = (0, 0)
    file_shape: tuple[int, int] = (0, 0)
    margins: tuple[Image, Image] | None = None
    contributing: NDArray[np.bool_] | None = None
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    file_name: str = ""
    path: Path | None = None
    metadata: MultiSpecModel | None = None

    def __post_init__(self) -> None:
        if self.file_shape == (0, 0):
            object.__setattr__(self, "file_shape", self.data.shape[-2:])

    @property
    def shape(self) -> tuple[int, int]:
        """``(n_disp, n_xdisp)``."""
        return self.data.shape[-2:]

    @property
    def mode(self) -> Mode:
        """What is particular to the instrument mode."""
        return mode_of(self.observation.exposure_type)

    @property
    def has_variances(self) -> bool:
        """Whether the product has any of the three."""
        return not {"var_poisson", "var_rnoise", "var_flat"} <= {*self.missing}

    @property
    def n_disp(self) -> int:
        """Number of wavelength elements."""
        return self.data.shape[-2]

    @property
    def n_xdisp(self) -> int:
        """Number of pixels across the dispersion."""
        return self.data.shape[-1]

    @cached_property
    def disp_index(self) -> Image:
        """Row numbers in the file, shape (n_disp,); positions along the dispersion are counted in these."""
        return self.origin[0] + np.arange(self.n_disp, dtype=float)

    @cached_property
    def xdisp_index(self) -> Image:
        """Column numbers in the file, shape (n_xdisp,); edges and traces are counted in these."""
        return self.origin[1] + np.arange(self.n_xdisp, dtype=float)

    @cached_property
    def pixel_scale(self) -> float | None:
        """Arcsec per pixel across the dispersion, in the middle of the spectrum; None where no WCS tells."""
        if self.wcs is None or self.bounding_box is None:
            return None
        row, column = np.mean(self.bounding_box, axis=1)
        ra, dec = np.radians(self.world(np.full(2, row), column + np.array([-0.5, 0.5]))[:2])
        scale = np.degrees(angular_separation(ra[0], dec[0], ra[1], dec[1])) * 3600.0
        return float(scale) if scale > 0 else None

    @cached_property
    def variance(self) -> Image:
        """Sum of the three variances, same shape as the data."""
        return self.var_poisson + self.var_rnoise + self.var_flat

    @cached_property
    def filled(self) -> Image:
        """The data with zeros where pixels are not good."""
        return np.where(self.good, self.data, 0.0)

    @cached_property
    def variances(self) -> Image:
        """Poisson, read-noise and flat variances, (3, [n_int,] n_disp, n_xdisp); zero where not good."""
        planes = np.stack([self.var_poisson, self.var_rnoise, self.var_flat])
        return np.where(self.good, planes, 0.0)

    @cached_property
    def row_wavelength(self) -> Image:
        """Mean wavelength of every row, shape (n_disp,), in micron; NaN where a row has none."""
        valid = np.isfinite(self.wavelength)
        count = valid.sum(axis=1)
        total = np.where(valid, self.wavelength, 0.0).sum(axis=1)
        return np.divide(total, count, out=np.full(self.n_disp, np.nan), where=count > 0)

    @cached_property
    def band_rows(self) -> tuple[NDArray[np.bool_], ...]:
        """Rows in each of the bands in which spectra are judged, (n_disp,)."""
        wavelength = self.row_wavelength
        return tuple((wavelength >= first) & (wavelength < last) for first, last in self.mode.bands)

    def with_bad_pixels(self, bad: NDArray[np.bool_]) -> SpectralImage:
        """Return the image with some more pixels, (n_disp, n_xdisp), not good; their values stay."""
        flagged = self.dq | np.where(bad, DO_NOT_USE, 0).astype(np.uint32)
        return self._seen_otherwise(good=self.good & ~bad, dq=flagged)

    def without(self, rejected: NDArray[np.bool_]) -> SpectralImage:
        """Return the image with some more pixels, ([n_int,] n_disp, n_xdisp), not good, but not flagged."""
        return self._seen_otherwise(good=self.good & ~rejected)

    def _seen_otherwise(self, **planes: NDArray) -> SpectralImage:
        """Replace some planes; what is known already of the image's geometry goes along."""
        return replace(self, **planes).known_as(self)

    def known_as(self, other: SpectralImage) -> SpectralImage:
        """Take over what is known already of an image with the same geometry; returns this image."""
        known = (*_GEOMETRY, *_TRANSFORMS)
        vars(self).update({name: value for name, value in vars(other).items() if name in known})
        return self

    def narrowed(self, columns: slice) -> SpectralImage:
        """Return some neighbouring columns alone, without WCS; what is known of the whole image stays.

        So the mean wavelength of a row is that over all columns.
        """
        first, last, _ = columns.indices(self.n_xdisp)
        planes = ("data", "var_poisson", "var_rnoise", "var_flat", "dq", "good", "wavelength")
        margins = self.margins and tuple(end[..., first:last] for end in self.margins)
        other = replace(
            self,
            **{name: getattr(self, name)[..., first:last] for name in planes},
            origin=(self.origin[0], self.origin[1] + first),
            margins=margins,
            contributing=None if self.contributing is None else self.contributing[..., first:last],
            wcs=None,
            metadata=None,
        )
        vars(other).update({name: getattr(self, name) for name in _GEOMETRY if name != "xdisp_index"})
        return other

    def integrations(self, part: slice) -> SpectralImage:
        """Return some integrations of a stack."""
        planes = ("data", "var_poisson", "var_rnoise", "var_flat", "dq", "good")
        margins = self.margins and tuple(end[part] for end in self.margins)
        return self._seen_otherwise(margins=margins, **{name: getattr(self, name)[part] for name in planes})

    def header_only(self) -> SpectralImage:
        """Return the image without pixels and WCS: what a spectrum needs of it to be written."""
        nothing = np.empty((0, 0))
        gone = dict.fromkeys(("wcs", "margins", "contributing"))
        planes = dict.fromkeys(("data", "var_poisson", "var_rnoise", "var_flat", "wavelength"), nothing)
        return replace(self, **planes, **gone, dq=nothing.astype(np.uint32), good=nothing.astype(bool))

    @cached_property
    def source(self) -> SourceLocation | None:
        """Where the header and the WCS have the source; None where they cannot tell."""
        return self._source(self.observation.source_position())

    @cached_property
    def source_by_pipeline(self) -> SourceLocation | None:
        """The same as the pipeline has it: without the target's motion, some rows early on `cal`."""
        return self._source(self.observation.source_position(with_motion=False), shifted_rows=True)

    def _source(
        self, position: tuple[float, float] | None, shifted_rows: bool = False
    ) -> SourceLocation | None:
        if self.wcs is None or position is None:
            return None
        return locate_source(
            self.world, self.pixel, self.bounding_box, self.disp_index, *position, shifted_rows=shifted_rows
        )

    @cached_property
    def _from_sky(self) -> Model:
        """From the sky to the file's pixel (x, y); asked anew, the WCS would invert itself each time."""
        return self.wcs.backward_transform

    @cached_property
    def from_focal_plane(self) -> Model | None:
        """From V2, V3 (arcsec) and wavelength to the sky; None where the WCS has no such frame."""
        if "v2v3" not in self.wcs.available_frames:
            return None
        return self.wcs.get_transform("v2v3", self.wcs.output_frame.name)

    def world(self, disp, xdisp):
        """Right ascension, declination (deg) and wavelength (micron) at rows and columns of the file."""
        x, y = (disp, xdisp) if self.horizontal else (xdisp, disp)
        return self.wcs(x, y)

    def pixel(self, ra, dec, wavelength):
        """Rows and columns of the file at sky positions (deg) and wavelengths (micron)."""
        x, y = self._from_sky(ra, dec, wavelength)
        return (x, y) if self.horizontal else (y, x)
