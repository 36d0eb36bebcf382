"""The tapered aperture: from the data, a table or a PSF; and that it gives the truth."""

from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.modeling.models import Identity, Scale
from astropy.table import QTable, Table
from gwcs import WCS

from jdaviz_lrs import extract, read
from jdaviz_lrs.analysis.taper import measured_widths, psf_widths, tapered_aperture
from jdaviz_lrs.engine.full_width import full_width
from jdaviz_lrs.errors import LRSError, LRSWarning
from jdaviz_lrs.references.find import find_references
from jdaviz_lrs.simulate import Scene, simulate, to_model
from jdaviz_lrs.simulate.psf import FWHM_ARCSEC, FWHM_UM, effective_profile, simulated_psf

WAVELENGTH = np.linspace(3.0, 14.5, 24)
FWHM = 1.0 + 0.25 * WAVELENGTH


@pytest.fixture(scope="module")
def image(observation):
    return read(observation["nod1_s2d"])


def true_fwhm(wavelength, phase=0.0, **shape):
    """Of the profile as the drizzle has it, interpolated between columns at a phase; at none as on cal."""
    offset, phase = np.arange(-6, 6.001, 0.01), np.reshape(phase, (-1, 1))
    before, after = (effective_profile(offset - at, wavelength, **shape) for at in (phase, phase - 1.0))
    ends = [full_width(offset, row)[:2] for row in (1.0 - phase) * before + phase * after]
    return np.array([right - left for left, right in ends])


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"nod_subtracted": False},
        {"brightness": 1e-2, "noisy_variance": True},
        {"brightness": 1e-4, "nod_offset": -0.925},
        {"cosmic_rays": 40, "bad_pixels": 40},
        {"psf_stretch": 1.15, "trace_shift": 0.4, "trace_bend": 0.5},
    ],
)
def test_measured_width_is_the_simulators(product, settings):
    seen = simulate(Scene(**settings), product)
    widths = measured_widths(read(to_model(seen)))
    every = true_fwhm(seen.grid.wavelength, seen.grid.phase, stretch=settings.get("psf_stretch", 1.0))
    interval = np.argmin(np.abs(seen.grid.wavelength[:, None] - widths.wavelength), axis=1)
    true = np.array([every[interval == k].mean() for k in range(widths.wavelength.size)])
    pull = (widths.fwhm - true) / widths.error
    assert widths.fwhm.size == 12
    assert np.sqrt((pull**2).mean()) < 1.2
    assert np.abs(pull).max() < 2.5
    assert (widths.error < 0.06 * widths.fwhm).all()


def test_stacks_are_averaged(image):
    names = ("data", "var_poisson", "var_rnoise", "var_flat", "dq", "good")
    stack = replace(image, **{name: np.stack([getattr(image, name)] * 2) for name in names})
    np.testing.assert_allclose(measured_widths(stack).fwhm, measured_widths(image).fwhm, rtol=1e-6)


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("nod_subtracted", [True, False])
@pytest.mark.parametrize("method", ["psf", "reference"])
def test_it_gives_the_truth(observation, product, nod_subtracted, method):
    seen = simulate(Scene(nod_subtracted=nod_subtracted, background_gradient=0.0), product)
    image = read(to_model(seen))
    # about the trace, as the aperture's edges are; far from the source, whose wings it would subtract
    background = {} if nod_subtracted else {"bkg_coeff": [[-24.0], [-14.0]], "bkg_order": 0}
    spectrum = extract(
        image,
        override_extract1d=observation["extract1d"],
        override_apcorr=observation["apcorr"],
        override_psf=observation["psf"],
        apcorr_method=method,
        **background,
        **tapered_aperture(1.25, image=image),
    )
    ratio = spectrum.flux / seen.truth.flux[spectrum.rows]
    for first, last in ((5, 8), (8, 11), (11, 13.5)):
        band = (spectrum.wavelength > first) & (spectrum.wavelength < last)
        assert np.median(ratio[band]) == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("product", ["s2d", "cal"])
@pytest.mark.parametrize("nod_subtracted", [True, False])
@pytest.mark.parametrize("of", ["psf", "data"])
def test_beside_the_header_it_is_about_the_trace(product, nod_subtracted, of):
    psf = {"psf": simulated_psf()} if of == "psf" else {}
    on, off = (
        read(to_model(simulate(Scene(nod_subtracted=nod_subtracted, trace_shift=shift), product)))
        for shift in (0.0, 3.0)
    )
    expected = tapered_aperture(1.5, image=on, **psf)
    with pytest.warns(LRSWarning, match=r"The trace lies \+[23].\d px from the aperture's centre"):
        found = tapered_aperture(1.5, image=off, **psf)
    assert found["position_offset"] == pytest.approx(3.0, abs=0.15)
    assert "position_offset" not in expected
    np.testing.assert_allclose(found["src_coeff"], expected["src_coeff"], rtol=0.05, atol=0.02)
    snr = [
        np.nanmedian((spectrum.flux / spectrum.flux_error)[np.abs(spectrum.wavelength - 8.5) < 3.5])
        for spectrum in (extract(on, **expected), extract(off, **found))
    ]
    assert snr[1] == pytest.approx(snr[0], rel=0.05)


def test_it_starts_from_an_offset(image):
    with pytest.warns(LRSWarning, match=r"The trace lies -3.0 px"):
        assert tapered_aperture(2.0, image=image, position_offset=3.0).get("position_offset", 0.0) < 0.15
    assert tapered_aperture(2.0, image=image, position_offset=0.5)["position_offset"] == 0.5


def test_where_no_trace_is_it_says_so():
    faint = read(to_model(simulate(Scene(brightness=1e-10))))
    with pytest.warns(LRSWarning, match="No trace stands out of the noise within 9 px"):
        tapered_aperture(2.0, image=faint, psf=simulated_psf())


def widths_of(parameters):
    lower, upper = parameters["src_coeff"]
    assert parameters["independent_var"] == "wavelength"
    assert parameters["use_source_posn"] is True
    np.testing.assert_allclose(lower, [-one for one in upper])
    return upper


@pytest.mark.parametrize(
    "table",
    [
        (WAVELENGTH, FWHM),
        (WAVELENGTH[::-1] * 1e4 * u.AA, FWHM[::-1]),
        Table({"Wavelength": WAVELENGTH, "FWHM": FWHM, "note": ["-"] * 24}),
        QTable({"wavelength": WAVELENGTH * u.um, "fwhm": FWHM * 0.11 * u.arcsec}),
    ],
)
def test_tables(table, tmp_path):
    upper = widths_of(tapered_aperture(1.5, table=table))
    np.testing.assert_allclose(upper, [1.5, 0.375])
    if isinstance(table, Table):
        for name in ("widths.ecsv", "widths.fits", "widths.csv", "widths.txt"):
            form = "ascii.ecsv" if name.endswith(".txt") else None
            table.write(tmp_path / name, format=form)
            if name != "widths.csv" or not isinstance(table, QTable):  # CSV drops the units
                np.testing.assert_allclose(
                    tapered_aperture(1.5, table=tmp_path / name)["src_coeff"][1], upper
                )


def test_columns_of_text(tmp_path):
    rows = "\n".join(f"{a:.4f} {b:.4f}" for a, b in zip(WAVELENGTH, FWHM, strict=True))
    (tmp_path / "widths.dat").write_text("wavelength fwhm\n" + rows)
    np.testing.assert_allclose(
        tapered_aperture(1, table=str(tmp_path / "widths.dat"))["src_coeff"][1], [1, 0.25]
    )


def test_angles_become_pixels_of_the_image(image):
    first, *others = [(step.frame, step.transform) for step in image.wcs.pipeline]
    half = replace(image, wcs=WCS([(first[0], Scale(0.5) & Identity(1) | first[1]), *others]))
    table = (WAVELENGTH, FWHM * u.arcsec)
    one, two = (tapered_aperture(1, image=i, table=table)["src_coeff"][1] for i in (image, half))
    np.testing.assert_allclose(two, 2 * np.array(one), rtol=1e-6)
    assert image.pixel_scale == pytest.approx(0.1106, abs=1e-4)


def test_of_a_psf(observation):
    psf = simulated_psf()
    upper = widths_of(tapered_aperture(2, image=read(observation["nod1_cal"]), psf=psf, degree=2))
    np.testing.assert_allclose(
        np.polynomial.polynomial.polyval(FWHM_UM, upper), 2 * np.array(FWHM_ARCSEC) / 0.11, rtol=0.05
    )
    np.testing.assert_allclose(psf_widths(psf).fwhm, true_fwhm(psf.wavelength), rtol=2e-3)


def test_of_a_psf_as_the_drizzle_widens_it(image):
    """Of another width with each phase of the drizzle, through which the polynomial is laid."""
    grid = simulate(Scene(noise=False), "s2d").grid
    used = np.isfinite(grid.phase) & (grid.wavelength > 5.0) & (grid.wavelength < 13.5)
    wavelength, true = grid.wavelength[used], true_fwhm(grid.wavelength, grid.phase)[used]
    # what the phase leaves of either: 6.6 and 4.2 %, in the middle 1.0 and 0.2 %
    for degree, within, middle in ((2, 0.07, 0.015), (4, 0.05, 0.005)):
        upper = widths_of(tapered_aperture(2, image=image, psf=simulated_psf(), degree=degree))
        laid = np.polynomial.polynomial.polyval(wavelength, upper)
        np.testing.assert_allclose(laid, 2 * true, rtol=within)
        assert np.median(laid / (2 * true)) == pytest.approx(1.0, abs=middle)


def test_coefficients_are_numbers_that_one_can_read(image):
    for edge in tapered_aperture(1.5, image=image, psf=simulated_psf(), degree=2)["src_coeff"]:
        assert [len(repr(one).lstrip("-").replace(".", "").lstrip("0")) <= 12 for one in edge] == [True] * 3
        assert [float(f"{one:.8g}") for one in edge] == edge


def test_a_table_wins_over_the_image_and_a_psf_too(image):
    table = tapered_aperture(1, image=image, table=(WAVELENGTH, FWHM), psf=simulated_psf())
    np.testing.assert_allclose(table["src_coeff"][1], [1, 0.25])


def test_extrapolation_is_told(image):
    with pytest.warns(LRSWarning, match=r"known from 5.00 to 12.00 um only: to 3.18 and 14.02 um"):
        tapered_aperture(1, image=image, table=(FWHM_UM, FWHM_ARCSEC * u.arcsec))


def test_other_degrees(image):
    assert len(tapered_aperture(2, image=image, degree=0)["src_coeff"][0]) == 1
    assert len(tapered_aperture(2, image=image, degree=3)["src_coeff"][0]) == 4


BAD = {
    "no table": ([1, 2, 3], "neither a file, a table, nor a pair"),
    "no such file": ("nowhere.ecsv", "no such file"),
    "no such column": (
        Table({"wavelength": [5.0, 6.0], "width": [3.0, 3.0]}),
        "no column 'fwhm' .*wavelength, width",
    ),
    "not monotonic": (([5.0, 7.0, 6.0], [3.0, 3.0, 3.0]), "neither rise nor fall"),
    "twice the same": (([5.0, 5.0, 6.0], [3.0, 3.0, 3.0]), "neither rise nor fall"),
    "unequal": (([5.0, 6.0], [3.0]), "2 wavelengths, but 1 widths"),
    "negative": (([5.0, 6.0], [3.0, -3.0]), "missing, zero or negative"),
    "nan": (([5.0, np.nan], [3.0, 3.0]), "missing, zero or negative"),
    "text": (([5.0, 6.0], ["wide", "wider"]), "not a column of numbers"),
    "unit": (([5.0, 6.0], [3.0, 3.0] * u.s), "is in s, which is no measure"),
    "too few": (([5.0], [3.0]), "too few for degree 1"),
    "empty": (([], []), "missing, zero or negative"),
}


@pytest.mark.parametrize(("table", "reason"), BAD.values(), ids=BAD)
def test_bad_tables(table, reason):
    with pytest.raises(LRSError, match=reason):
        tapered_aperture(2.0, table=table)


def test_masked_tables_and_files_that_are_none(tmp_path):
    table = Table({"wavelength": [5.0, 6.0], "fwhm": [3.0, 3.0]}, masked=True)
    table["fwhm"].mask[1] = True
    with pytest.raises(LRSError, match="missing, zero or negative"):
        tapered_aperture(2.0, table=table)
    (tmp_path / "table.fits").write_bytes(b"\x00\x01\x02")
    with pytest.raises(LRSError, match=r"table.fits: not a table that astropy can read"):
        tapered_aperture(2.0, table=tmp_path / "table.fits")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"multiple": 0}, "multiple = 0 is not positive"),
        ({"multiple": np.nan}, "multiple = nan"),
        ({"degree": -1}, "degree = -1"),
        ({"degree": 1.5}, "degree = 1.5"),
        ({"table": ([5.0, 6.0], [3.0, 3.0])}, "known from 5.00 to 6.00 um only"),
        ({"table": ([3.5, 14.0], [0.05, 9.0])}, "FWHM is not positive"),
    ],
)
def test_bad_settings(image, settings, reason):
    with pytest.raises(LRSError, match=reason):
        tapered_aperture(**{"multiple": 2.0, "image": image} | settings)


def test_nothing_to_go_by(image):
    with pytest.raises(LRSError, match="give an image to measure it in, a table or a PSF"):
        tapered_aperture(2.0)
    with pytest.raises(LRSError, match="does not tell where the source is"):
        tapered_aperture(2.0, image=replace(image, wcs=None))
    faint = read(to_model(simulate(Scene(brightness=1e-8))))
    with pytest.raises(LRSError, match="too faint"), pytest.warns(LRSWarning, match="No trace"):
        tapered_aperture(2.0, image=faint)


def test_extraction_follows_the_references(image):
    parameters = find_references(image, crds=False).parameters.with_(tapered_aperture(2.0, image=image))
    assert len(parameters.src_coeff) == 2
