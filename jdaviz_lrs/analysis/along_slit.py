"""Extended sources: the surface brightness along the slit, a spectrum for every few pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from astropy.modeling.models import Identity, Scale, Shift
from gwcs import WCS
from numpy.typing import NDArray

from jdaviz_lrs.data.flags import DO_NOT_USE
from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.extraction.plan import ExtractionPlan
from jdaviz_lrs.extraction.tabulate import missing_planes
from jdaviz_lrs.products.files import fits_path, whole_files
from jdaviz_lrs.products.read import read
from jdaviz_lrs.references.find import find_references

__all__ = ["SlitSpectra", "along_slit"]

Image = NDArray[np.float64]

COLUMNS = (
    "surf_bright", "sb_error", "sb_var_poisson", "sb_var_rnoise", "sb_var_flat", "background", "npixels",
)  # fmt: skip

PLANES = {
    "data": "surf_bright",
    "err": "sb_error",
    "var_poisson": "sb_var_poisson",
    "var_rnoise": "sb_var_rnoise",
    "var_flat": "sb_var_flat",
}
"""Of the 2-D product, to the columns of the spectra."""

LEAST_LIT = 0.5
"""Share of the rows that a column must be lit in to belong to the slit."""


@dataclass(frozen=True, eq=False)
class SlitSpectra:
    """Spectra of neighbouring stretches of the slit.

    Attributes
    ----------
    wavelength : ndarray, (n_disp,)
        Micron; NaN where the row has none.
    surf_bright, sb_error, sb_var_poisson, sb_var_rnoise, sb_var_flat : ndarray, (n_disp, n_bin)
        MJy/sr, (MJy/sr)^2: averaged over the good pixels of a stretch, background subtracted.
    background : ndarray, (n_disp, n_bin)
        MJy/sr: what was subtracted.
    npixels : ndarray, (n_disp, n_bin)
        Number of pixels used.
    dq : ndarray of uint32, (n_disp, n_bin)
    columns : ndarray, (n_bin,)
        Middles of the stretches, in the file's columns.
    width : float
        Of a stretch, in pixels.
    ra, dec : ndarray, (n_bin,)
        Degrees, of the middles, in the middle of the spectrum; NaN without a WCS.
    image : SpectralImage
    parameters : dict
        Those of the extractions.
    notes : tuple of str
    """

    wavelength: Image
    surf_bright: Image
    sb_error: Image
    sb_var_poisson: Image
    sb_var_rnoise: Image
    sb_var_flat: Image
    background: Image
    npixels: Image
    dq: NDArray[np.uint32]
    columns: Image
    width: float
    ra: Image
    dec: Image
    image: SpectralImage
    parameters: dict[str, Any]
    notes: tuple[str, ...] = ()

    def write(self, path: str | Path, overwrite: bool = False) -> Path:
        """Write a 2-D product in the format of s2d files, whose pixels are the stretches.

        It can be read as the image was: by this package, by jdaviz, and by the pipeline.

        Raises
        ------
        LRSError
            When the name does not end with ``.fits``, the file exists, is the image, or cannot be written.
        """
        from stdatamodels.jwst.datamodels import SlitModel

        path, image = fits_path(path), self.image

        def in_file(plane: Image) -> Image:
            return plane.T if image.horizontal else plane

        with SlitModel() as model:
            if image.metadata is not None:
                model.update(image.metadata, only="PRIMARY")
            for name, column in PLANES.items():
                setattr(model, name, in_file(getattr(self, column)).astype(np.float32))
            model.dq = in_file(self.dq).astype(np.uint32)
            model.wavelength = in_file(np.broadcast_to(self.wavelength[:, None], self.dq.shape)).astype(
                np.float32
            )
            model.meta.bunit_data = model.meta.bunit_err = "MJy/sr"
            model.meta.photometry.pixelarea_steradians = image.pixel_area * self.width
            model.meta.cal_step.resample = "COMPLETE"
            model.meta.wcsinfo.dispersion_direction = 1 if image.horizontal else 2
            model.name = image.observation.slit_name
            model.source_type = image.observation.source_type
            if image.wcs is not None:
                model.meta.wcs = self._wcs()
            with whole_files([path], overwrite, [image.path]) as (temporary,):
                model.save(temporary)
        return path

    def _wcs(self) -> WCS:
        """Return the image's WCS for the stretches as pixels."""
        image = self.image
        across = Scale(self.width) | Shift(float(self.columns[0]))
        along = Shift(float(image.origin[0])) if image.origin[0] else Identity(1)
        first, *others = image.wcs.pipeline
        pixels = along & across if image.horizontal else across & along
        transform = pixels | first.transform
        steps = [(first.frame, transform), *((step.frame, step.transform) for step in others)]
        wcs = WCS(steps)
        number, rows = self.columns.size, self.wavelength.size
        box = ((-0.5, number - 0.5), (-0.5, rows - 0.5))
        wcs.bounding_box = box[::-1] if image.horizontal else box
        return wcs


def along_slit(
    image: SpectralImage | str | Path,
    width: int,
    start: int | None = None,
    stop: int | None = None,
    **parameters: Any,
) -> SlitSpectra:
    """Extract a spectrum in MJy/sr from every `width` pixels along the slit of a rectified image.

    Parameters
    ----------
    image : SpectralImage or path-like
        An s2d file, or the image already read.
    width : int
        Pixels of a stretch.
    start, stop : int, optional
        First and last column; without them all columns of the slit that no background region touches. What is
        left over at the upper end is left out.
    **parameters
        Of the background (`bkg_coeff`, `bkg_fit`, `bkg_order`, `smoothing_length` ...) and `bad_pixels`, as
        of `jdaviz_lrs.extract`. There is neither an aperture correction nor a source to go to.

    Returns
    -------
    SlitSpectra

    Raises
    ------
    LRSError
        For a detector image, on which the slit is bent; for a stretch that does not lie on the image or
        overlaps a background region; and for parameters that cannot be.
    """
    image = read(image)
    name = image.file_name or "the image"
    if not image.resampled:
        raise LRSError(f"{name}: spectra along the slit are those of rectified images; give the s2d file.")
    if image.data.ndim > 2:
        raise LRSError(f"{name}: it has {len(image.data)} integrations; give the image of one.")
    if width != int(width) or width < 1:
        raise LRSError(f"width = {width} is not a whole number of pixels; give 1, 2, 3 ...")
    fixed = {"apply_apcorr": False, "use_source_posn": False, "position_offset": 0.0, "extract_width": None}
    ends = ("ystart", "ystop") if image.horizontal else ("xstart", "xstop")
    for parameter in parameters:
        if parameter in (*fixed, *ends, "extraction_type", "src_coeff"):
            raise LRSError(f"{parameter} is set by the stretches of the slit; give width, start and stop.")
    # whatever the target is, its light along the slit is not a PSF's
    observation = replace(image.observation, source_type="EXTENDED")
    extended = replace(image, observation=observation)
    references = find_references(extended, crds=False)
    everywhere = dict.fromkeys(("xstart", "xstop", "ystart", "ystop"))
    given = references.parameters.with_(everywhere | {**parameters, **fixed, "extraction_type": "box"})
    first, last = _extent(image, given.bkg_coeff or (), start, stop)
    starts = np.arange(first, last - width + 2, int(width))
    if starts.size == 0:
        raise LRSError(f"{name}: between the columns {first} and {last} there is no room for {width} pixels.")
    # one extraction after another, as each has its own errors of the background
    each = [
        ExtractionPlan(
            extended,
            replace(given, **dict(zip(ends, (float(at), float(at + width - 1)), strict=True))),
            references,
        ).extract()
        for at in starts
    ]
    columns = {column: np.stack([_on_rows(one, column) for one in each], axis=1) for column in COLUMNS}
    dq = np.where(np.isnan(columns["surf_bright"]), DO_NOT_USE, 0).astype(np.uint32)
    for number, one in enumerate(each):
        dq[one.rows, number] |= one.dq
    middles = starts + 0.5 * (width - 1)
    row = image.disp_index[image.n_disp // 2]
    if image.wcs is None:
        ra = dec = np.full(starts.size, np.nan)
    else:
        ra, dec, _ = image.world(np.full(starts.size, row), middles)
    return SlitSpectra(
        wavelength=image.row_wavelength,
        **columns,
        dq=dq,
        columns=middles,
        width=float(width),
        ra=ra,
        dec=dec,
        image=image,
        parameters=given.asdict(),
        notes=_notes(image, columns["surf_bright"]),
    )


def _notes(image: SpectralImage, brightness: Image) -> tuple[str, ...]:
    notes = missing_planes(image)
    if lost := int(np.isnan(brightness).sum()):
        notes += (f"No brightness at {lost} of {brightness.size} places (NaN, flagged DO_NOT_USE).",)
    return notes


def _on_rows(spectrum: ExtractedSpectrum, name: str) -> Image:
    """Return a column of a spectrum at all rows of its image."""
    whole = np.full(spectrum.image.n_disp, np.nan)
    whole[spectrum.rows] = getattr(spectrum, name)
    return whole


def _extent(
    image: SpectralImage, regions: tuple[tuple[float, ...], ...], start: int | None, stop: int | None
) -> tuple[int, int]:
    """Return the first and last column: those given, else of the longest run that is lit and in no region."""
    free = image.good.mean(axis=0) > LEAST_LIT
    for lower, upper in zip(regions[::2], regions[1::2], strict=True):
        ends = [np.polynomial.polynomial.polyval(image.disp_index, edge) for edge in (lower, upper)]
        free &= (image.xdisp_index + 0.5 <= ends[0].min()) | (image.xdisp_index - 0.5 >= ends[1].max())
    edges = np.flatnonzero(np.diff(np.concatenate([[False], free, [False]]).astype(int)))
    runs = edges.reshape(-1, 2)
    if runs.size == 0:
        raise LRSError(f"{image.file_name or 'the image'}: no column is lit and outside the regions.")
    longest = runs[np.argmax(runs[:, 1] - runs[:, 0])] + image.origin[1]
    return (longest[0] if start is None else start), (longest[1] - 1 if stop is None else stop)
