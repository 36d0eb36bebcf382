"""Label and hint of every input of the panel: plain words, with units."""

__all__ = ["CHOICES", "WORDS"]

#: What the boxes to tick mean.
CHOICES = {
    "trace": "Shift and bend the trace as the data have it.",
    "width": "Fit the width of the PSF, and the shape of its wings.",
    "outliers": "Leave out what no PSF, or in a box no neighbouring wavelength, explains: cosmic rays.",
    "companions": "Look for further sources in the slit, and fit them along.",
    "variance": "Weigh by the noise that the fitted scene should have.",
    "background": "Smooth the fitted background along the dispersion.",
}

WORDS = {
    "extraction_type": (
        "Extraction",
        "Box sums the pixels of the aperture; optimal fits the PSF at every wavelength.",
    ),
    "use_source_posn": (
        "Centre on the source's position",
        "From the dithered RA and Dec in the header. Automatic: for point sources.",
    ),
    "position_offset": (
        "Position offset (pixels)",
        "Moves aperture or trace across the dispersion, upwards if positive.",
    ),
    "xstart": ("xstart: first column (pixels)", "Zero-indexed, included; fractions allowed."),
    "xstop": ("xstop: last column (pixels)", "Zero-indexed, included; fractions allowed."),
    "ystart": ("ystart: first row (pixels)", "Zero-indexed, included. Empty: all rows."),
    "ystop": ("ystop: last row (pixels)", "Zero-indexed, included. Empty: all rows."),
    "extract_width": (
        "Width (pixels)",
        "Full width; start and stop then give the centre only. Empty: start to stop.",
    ),
    "src_coeff": (
        "Aperture edges as polynomials",
        "Lower and upper edge in turn, constant term first, such as [[26.5], [34.5]]. "
        "Wins over width, start and stop. Empty: not used.",
    ),
    "independent_var": (
        "Polynomials are functions of",
        "pixel: the row. wavelength: micron. For edges of the source and the background alike.",
    ),
    "model_nod_pair": (
        "Fit the other nod's negative trace",
        "In nod-subtracted data; ignored elsewhere.",
    ),
    "optimize_psf_location": ("Fit the place of the traces", "Off: where the header puts them."),
    "refinements": ("Refinements", "What to take from the data itself, beyond the pipeline."),
    "sources": (
        "Further sources (pixels from the target)",
        "Each is fitted along, with its own spectrum, such as [7.1]. Empty: none.",
    ),
    "bad_pixels": (
        "Further bad pixels",
        "Columns and rows of the file, zero-indexed, such as [[30, 120]], or the path of a file that lists "
        "pixels of the detector. With the mouse: the tool with the crossed pixel. Empty: none.",
    ),
    "subtract_background": (
        "Subtract the background",
        "Automatic: when background regions are given. Optimal extraction fits it beside the source.",
    ),
    "bkg_coeff": (
        "Background regions (pixels)",
        "Exact pixel coordinates across the dispersion: 13.5 is the border of columns 13 and 14.",
    ),
    "bkg_fit": ("Background fit", "Of the regions' pixels, at every wavelength."),
    "bkg_order": ("Order of the polynomial", "Across the dispersion: 0 constant, 1 linear. Empty: 0."),
    "smoothing_length": (
        "Smoothing length (rows)",
        "Odd number of rows along the dispersion that the background is averaged over. Empty: none.",
    ),
    "bkg_sigma_clip": (
        "Clip background pixels (sigma)",
        "Reject pixels this far off at their wavelength. Beyond the pipeline. Empty: none.",
    ),
    "bkg_disp_order": (
        "Order along the dispersion",
        "One smooth surface instead of a fit at each wavelength. Beyond the pipeline. Empty: none.",
    ),
    "apply_apcorr": (
        "Correct for light outside the aperture",
        "Scales the flux of a point source to the whole PSF.",
    ),
    "apcorr_method": (
        "Correction from",
        "reference: interpolated in the apcorr file. psf: computed for the very aperture.",
    ),
    "id": ("Aperture id", "Name of the aperture in the extract1d file."),
    "region_type": ("Region type", "As in the extract1d file; target for a source."),
    "spectral_order": ("Spectral order", "As in the extract1d file. Empty: any."),
    "dispaxis": (
        "Dispersion axis",
        "For the extract1d file: 1 along x, 2 along y. The image itself says which way it runs.",
    ),
    "pipeline_compatible": (
        "As the pipeline does it",
        "Also where this panel differs from the pipeline on purpose; the README lists the differences.",
    ),
}
