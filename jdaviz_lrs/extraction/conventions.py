"""Ours and theirs: every point in which an extraction differs from the pipeline's, on purpose, by name.

The tables in README.md are made from this file (``python -m jdaviz_lrs.extraction.conventions``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, fields

from jdaviz_lrs.parameters import ExtractionParameters

__all__ = [
    "NO_FLUX", "NO_VARIANCES", "OURS", "PIPELINE", "Convention", "Difference",
    "box_table", "convention_of", "following", "optimal_table",
]  # fmt: skip

BOX, OPTIMAL = "box", "optimal"


@dataclass(frozen=True)
class Difference:
    """A row of the tables.

    Attributes
    ----------
    what : str
    pipeline, here : str
        What each does.
    size : str
        How large the difference is.
    compatible : str
        What becomes of it with `pipeline_compatible`.
    kind : {'box', 'optimal'}
    """

    what: str
    pipeline: str
    here: str
    size: str = ""
    compatible: str = "yes"
    kind: str = BOX

    def concerns(self, resampled: bool) -> bool:
        """Whether it concerns rectified images (`s2d`), or else detector images (`cal`)."""
        return f"`{'cal' if resampled else 's2d'}`" not in self.what


def _ours(*rows: Difference) -> bool:
    return field(default=True, metadata={"rows": rows})


def _optimal(what: str, pipeline: str, here: str) -> Difference:
    return Difference(what, pipeline, here, kind=OPTIMAL)


@dataclass(frozen=True)
class Convention:
    """Which way is gone where ours and the pipeline's part; True is ours.

    Attributes
    ----------
    edges_follow_trace
        Edges given about zero, with `use_source_posn`, are laid about the trace, row by row.
    centre_between_edges
        The nominal centre of an aperture is the middle of its edges.
    weights_by_overlap
        A pixel's weight is what of it lies in the regions, however narrow and however many.
    no_background_no_flux
        Where no background can be fitted there is no flux.
    smoothing_lowers_errors
        The errors of a smoothed background are those of an average.
    background_under_summed_pixels
        The error of the background is that under the pixels summed.
    smoothing_ends_with_slit
        Smoothing on `cal` does not reach beyond the ends of the slit.
    trace_in_its_rows
        The trace on `cal` is at its own row.
    polynomials_over_regions
        Background polynomials are functions of place within the regions.
    light_made_up_for
        What bad pixels have lost of a source is made up for.
    limits_of_the_slit
        The limits reported are means over the rows of the slit.
    target_followed
        A moving target is sought where the product is fixed to it.
    scaled_to_pixels
        PSF and aperture correction are scaled to the pixels of the image.
    unplaced_refused
        A place that the header does not give, or that lies outside the slit, is refused, not replaced.
    pixels_from_file_origin
        Trace and pixels of an optimal extraction are counted from the same origin.
    nod_mirrored
        The trace of the other nod is mirrored, row by row.
    middle_of_the_slit
        Without the source's position the middle of the slit is extracted.
    located_as_extracted
        `optimize_psf_location` fits the background and the variance that the extraction has.
    fitted_on_all_pixels
        The profile is that of the whole PSF, fitted with the background to all good pixels.
    resampled_is_known
        On a rectified image the profile is what the resampling makes of it.
    """

    edges_follow_trace: bool = _ours(
        Difference(
            "`src_coeff` about zero, with `use_source_posn`",
            "centres what of it lies on the image, half of it: the aperture lands a quarter of its width "
            "beside the trace",
            "centred on the trace, row by row",
            "flux 3-10 % low, 25 % at the worst row",
        ),
        Difference(
            "the same on `cal`, straight edges",
            "a straight aperture, 0.5 px and more beside the bent trace",
            "follows the trace",
            "as above",
        ),
        Difference(
            "the same on `cal`, edges in wavelength",
            "no spectrum at all",
            "follows the trace",
            "all of it",
            "refused",
        ),
    )
    centre_between_edges: bool = _ours(
        Difference(
            "centre of a fractional aperture at the source",
            "mean of the pixels' weights",
            "middle of the edges",
            "up to 0.02 px; flux 4e-4",
        )
    )
    weights_by_overlap: bool = _ours(
        Difference(
            "regions narrower than a pixel",
            "the larger of the two cut parts: a width of 0.4 px counts 0.7",
            "the width",
            "43 % of the narrowest flux",
        ),
        Difference(
            "a pixel shared by two regions",
            "the larger part",
            "both parts",
            "a tenth of a pixel, flux 3 %",
        ),
    )
    no_background_no_flux: bool = _ours(
        Difference(
            "no background can be fitted at a wavelength",
            "subtracts zero",
            "flux NaN, flagged DO_NOT_USE",
            "the whole background",
        )
    )
    smoothing_lowers_errors: bool = _ours(
        Difference(
            "error of a smoothed background",
            "as if it were not smoothed",
            "averaged down with it",
            "background error x 0.58, 0.38, 0.22 for 3, 7, 21 rows; flux error 4-5 % lower, 15 % in the red",
        ),
        Difference(
            "error of a smoothed median where all its pixels are bad",
            "zero",
            "that of the average",
            "all of it",
        ),
    )
    background_under_summed_pixels: bool = _ours(
        Difference(
            "error of the background under bad pixels",
            "that of the whole aperture",
            "of the pixels summed",
            "1/6 for one pixel lost of seven",
        )
    )
    smoothing_ends_with_slit: bool = _ours(
        Difference(
            "smoothing on `cal`",
            "reaches beyond the ends of the slit",
            "the last row counts again, as on `s2d`",
            "background 1-3 % within half a length of the ends",
        )
    )
    trace_in_its_rows: bool = _ours(
        Difference(
            "trace on `cal` (`extract_width`)",
            "taken as many rows early as lie below the slit (7)",
            "at its own row",
            "0.06 px; flux 0.2 % at 8 px, 0.6 % at 4 px",
        ),
        _optimal(
            "trace against rows on `cal`",
            "taken as many rows early as lie below the slit (7)",
            "at its own row",
        ),
    )
    polynomials_over_regions: bool = _ours(
        Difference(
            "`bkg_order` of 3 and more on `cal`",
            "singular in plain powers of 1032 columns: silently subtracts nothing",
            "Legendre polynomials over the regions",
            "the whole background: flux +20 % (median)",
        )
    )
    light_made_up_for: bool = _ours(
        Difference(
            "bad pixels in the aperture",
            "the others' sum, silently",
            "made up for by the PSF's share of the others (of what is no point source: by the neighbouring "
            "wavelengths' profile), flagged FLUX_ESTIMATED, counted; NaN where less than half of the light "
            "is left, or what is left does not look like the PSF",
            "flux 30 % low for the peak pixel",
        )
    )
    limits_of_the_slit: bool = _ours(
        Difference(
            "EXTRXSTR, EXTRXSTP of curved edges",
            "mean over every row of the file; NaN for edges in wavelength on `cal`",
            "over the rows of the slit",
            "pixels, in the header only",
        )
    )
    target_followed: bool = _ours(
        Difference(
            "a moving target in a product of several exposures",
            "sought at DITH_RA, DITH_DEC",
            "at these plus MT_AVRA - MT_RA, MT_AVDEC - MT_DEC",
            "flux 80 % low after 1.2 arcsec",
        )
    )
    scaled_to_pixels: bool = _ours(
        Difference(
            "pixels of another size than the detector's (`pixel_scale_ratio`)",
            "PSF and aperture correction as on the detector's",
            "scaled to the pixels on the sky",
            "flux 11-19 % high for pixels twice as large",
        )
    )
    unplaced_refused: bool = _ours(
        Difference(
            "`use_source_posn` where the header does not place the source",
            "the aperture stays where the parameters put it",
            "refused",
            "the source's light",
        ),
        _optimal("source outside the slit", "the middle of the slit is extracted", "refused"),
    )
    pixels_from_file_origin: bool = _ours(
        _optimal(
            "trace against pixels on `cal`",
            "counted from the edge of the bounding box, the pixels from the first one inside: 0.5 px off, "
            "taken up by `optimize_psf_location` where that is on",
            "both from the file's origin",
        )
    )
    nod_mirrored: bool = _ours(
        _optimal("trace of the other nod", "at a constant distance", "at the mirrored position, row by row"),
        _optimal("the same on `s2d`", "not modelled", "where the dither's offsets put it"),
    )
    middle_of_the_slit: bool = _ours(
        _optimal(
            "`use_source_posn` false",
            "a column that the interpolation happens to give",
            "the middle of the slit",
        )
    )
    located_as_extracted: bool = _ours(
        _optimal(
            "`optimize_psf_location`",
            "constant background, read noise only",
            "the background asked for, the total variance",
        )
    )
    fitted_on_all_pixels: bool = _ours(
        _optimal("pixels in the background fit", "those with a non-zero profile", "all good ones"),
        _optimal("profile", "normalised over the image", "normalised over the whole PSF"),
        _optimal(
            "background variances",
            "NaN where any pixel of the full-frame row is NaN",
            "of the pixels used",
        ),
        _optimal("singular wavelengths", "flux zero", "NaN, flagged DO_NOT_USE, counted"),
    )
    resampled_is_known: bool = _ours(
        _optimal("profile on `s2d`", "as on `cal`", "with the drizzle's broadening")
    )


OURS = Convention()
PIPELINE = Convention(**{one.name: False for one in fields(Convention)})

NO_VARIANCES = Difference("errors where a file has no variances", "zero", "NaN", "all of it", "no")
NO_FLUX = Difference("errors beside a flux that is NaN", "zero", "NaN, as the flux", "all of it", "no")
MEAN_IN_FILE = Difference('`bkg_fit` "mean" in the file', "fails", "the mean", "", "no: the mean")

#: Differences that no switch undoes.
KEPT = (
    NO_VARIANCES,
    NO_FLUX,
    Difference("`smoothing_length` even", "one less", "refused", "", "no: refused"),
    Difference(
        "a background region that overlaps the aperture",
        "fitted all the same",
        "refused",
        "the source's light",
        "no: refused",
    ),
    Difference(
        "`bkg_order` beyond the pixels of the regions",
        "subtracts zero",
        "refused",
        "the whole background",
        "no: refused",
    ),
    Difference(
        "edges that cross", "an aperture without pixels, flux NaN", "refused", "all of it", "no: refused"
    ),
    MEAN_IN_FILE,
    Difference("no PIXAR_SR in the header", "1 sr", "refused", "12 orders of magnitude", "no: refused"),
)


def convention_of(parameters: ExtractionParameters) -> Convention:
    """Return the convention that parameters ask for, unless another is being followed."""
    return _FOLLOWED.get() or (PIPELINE if parameters.pipeline_compatible else OURS)


_FOLLOWED: ContextVar[Convention | None] = ContextVar("followed", default=None)


@contextmanager
def following(convention: Convention) -> Iterator[None]:
    """Extract by a convention between the two, whatever the parameters ask for: to find what a point does."""
    token = _FOLLOWED.set(convention)
    try:
        yield
    finally:
        _FOLLOWED.reset(token)


def differences(kind: str) -> tuple[Difference, ...]:
    """Every difference of a kind of extraction, those last that no switch undoes."""
    rows = [row for one in fields(Convention) for row in one.metadata["rows"]]
    return tuple(row for row in (*rows, *KEPT) if row.kind == kind)


def box_table() -> str:
    """Return the differences of box extraction, in Markdown."""
    head = "| what | the pipeline | here | size | `pipeline_compatible` |\n| --- | --- | --- | --- | --- |"
    rows = [
        f"| {row.what} | {row.pipeline} | {row.here} | {row.size} | {row.compatible} |".replace("|  |", "| |")
        for row in differences(BOX)
    ]
    return "\n".join([head, *rows])


def optimal_table() -> str:
    """Return the differences of optimal extraction, in Markdown."""
    rows = [f"| {row.what} | {row.pipeline} | {row.here} |" for row in differences(OPTIMAL)]
    return "\n".join(["| what | the pipeline | here |\n| --- | --- | --- |", *rows])


if __name__ == "__main__":
    print(box_table(), optimal_table(), sep="\n\n")
