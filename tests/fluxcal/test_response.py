"""Responses: models in every form, several stars, files, and bad input."""

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits
from astropy.table import QTable, Table
from specutils import Spectrum

from jdaviz_lrs import LRSError, response
from jdaviz_lrs.fluxcal.read_model import star_model
from jdaviz_lrs.fluxcal.response import read_response
from jdaviz_lrs.fluxcal.star_model import engelke, hydrogen_lines, rayleigh_jeans
from tests.stars import BOX, MODEL, OPTIMAL, STAR, extracted, plain

WAVELENGTH = np.geomspace(2, 20, 4000)
JANSKY = 0.05 * (WAVELENGTH / 10) ** -2
FLAM = u.erg / (u.s * u.cm**2 * u.AA)


@pytest.fixture(scope="module")
def star():
    return extracted(STAR, BOX)


# --- models ---


def calspec(path, units=("ANGSTROMS", "FLAM"), **header):
    """A file as CALSPEC has them: units of its own, single precision for fluxes."""
    flux = (JANSKY * u.Jy).to_value(FLAM, u.spectral_density(WAVELENGTH * u.um))
    columns = [
        fits.Column("WAVELENGTH", "1D", unit=units[0], array=WAVELENGTH * 1e4),
        fits.Column("FLUX", "1E", unit=units[1], array=flux),
        fits.Column("CONTINUUM", "1E", unit=units[1], array=2 * flux),
        fits.Column("SYSERROR", "1E", unit=units[1], array=0.01 * flux),
    ]
    table = fits.BinTableHDU.from_columns(columns)
    table.header.update(header)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return path


def ecsv(path):
    QTable({"lambda": WAVELENGTH * u.um, "f": JANSKY * 1e3 * u.mJy}).write(path)
    return path


def by_frequency(path):
    frequency = (WAVELENGTH * u.um).to(u.THz, u.spectral())
    QTable({"nu": frequency, "flux": (JANSKY * u.Jy).to(u.W / u.m**2 / u.Hz)}).write(path)
    return path


FORMS = {
    "CALSPEC": lambda folder: calspec(folder / "star_mod_001.fits"),
    "ECSV": lambda folder: ecsv(folder / "star.ecsv"),
    "frequencies": lambda folder: by_frequency(folder / "star.ecsv"),
    "Spectrum": lambda folder: Spectrum(spectral_axis=WAVELENGTH * u.um, flux=JANSKY * u.Jy),
    "Spectrum in flam": lambda folder: Spectrum(
        spectral_axis=WAVELENGTH * 1e4 * u.AA,
        flux=(JANSKY * u.Jy).to(FLAM, u.spectral_density(WAVELENGTH * u.um)),
    ),
    "stand-in": lambda folder: "rayleigh-jeans:0.05",
}


@pytest.mark.parametrize("form", FORMS)
def test_models_in_every_form(form, tmp_path, star):
    given = FORMS[form](tmp_path)
    model = star_model(given)
    within = (model.wavelength > 4) & (model.wavelength < 15)
    np.testing.assert_allclose(
        model.flux[within],
        0.05 * (model.wavelength[within] / 10) ** -2,
        rtol=2e-7 if form == "CALSPEC" else 1e-9,
    )
    np.testing.assert_allclose(response(star, given).factor, response(star, MODEL).factor, rtol=1e-5)
    assert model.stand_in == (form == "stand-in")


def test_the_model_s_own_error_is_systematic(tmp_path, star):
    r = response(star, calspec(tmp_path / "star_mod_001.fits"))
    known = np.isfinite(r.factor)
    np.testing.assert_allclose((r.systematic / r.factor)[known], 0.01, rtol=1e-5)
    assert r.models == ("star_mod_001.fits",)
    assert str(tmp_path / "star_mod_001.fits") in r.inputs


def test_stand_ins():
    assert np.interp(10, rayleigh_jeans(0.3).wavelength, rayleigh_jeans(0.3).flux) == pytest.approx(
        0.3, rel=1e-5
    )
    hot = engelke(1e7, 0.3)
    np.testing.assert_allclose(hot.flux, 0.3 * (hot.wavelength / 10) ** -2, rtol=1e-3)
    cool = engelke(4000, 0.3)
    # Engelke 1992: brightness temperature 0.738 T (1 + 79450 / (lambda T))^0.182
    brightness = {w: 0.738 * 4000 * (1 + 79450 / (w * 4000)) ** 0.182 for w in (5, 12)}
    planck = {w: w**-3 / np.expm1(14387.77 / (w * t)) for w, t in brightness.items()}
    seen = np.interp(5, cool.wavelength, cool.flux) / np.interp(12, cool.wavelength, cool.flux)
    assert seen == pytest.approx(planck[5] / planck[12], rel=1e-5)
    assert cool.stand_in
    assert "stand-in: Engelke function of 4000 K" in cool.name


def test_lines_of_hydrogen():
    known = {"Br-alpha": 4.0523, "Pf-alpha": 7.4599, "Hu-alpha": 12.3719, "Hu-beta": 7.5025, "9-7": 11.3087}
    lines = hydrogen_lines(4, 14)
    for name, wavelength in known.items():
        assert np.abs(lines - wavelength).min() < 3e-4, name
    assert ((lines >= 4) & (lines <= 14)).all()


def test_lines_and_masked_ranges_do_not_count(star):
    """A star that has lines its model lacks: none of it is in the response."""
    clean = response(star, MODEL)
    centers = np.array([hydrogen_lines(7.4, 7.6)[0], 12.372, 9.0])
    lines = np.exp(-0.5 * ((star.wavelength[:, None] - centers) / 0.03) ** 2).sum(axis=1)
    lined = replace(star, flux=star.flux * (1 - 0.05 * lines))
    r = response(lined, MODEL, masked=[(8.85, 9.15)])
    assert np.nanmax(np.abs(r.factor / clean.factor - 1)) < 0.001


def test_a_star_that_is_not_its_model_is_told(star):
    wavy = replace(star, flux=star.flux * (1 + 0.02 * np.sin(40 * star.wavelength)))
    r = response(wavy, MODEL)
    assert r.chi_square > 3
    assert any("times its errors" in note for note in r.notes)
    assert np.nanmedian(r.error) > np.nanmedian(response(star, MODEL).error)
    faint = response(replace(star, flux_error=500 * star.flux_error), MODEL)
    assert any("The star is faint" in note for note in faint.notes)


# --- by name ---


def test_a_name_without_the_package_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "getCalspec", None)
    with pytest.raises(LRSError, match=r"HD 2811: no such file; .*jdaviz-lrs\[calspec\]"):
        star_model("HD 2811")


@pytest.fixture
def archive(monkeypatch, tmp_path):
    """Stands for getCalspec; returns what it has been asked."""
    answers = {}

    class Calspec:
        def __init__(self, name):
            if name != "HD 2811":
                raise KeyError(name)

        def download_spectrum_fits_filename(self, type):
            if "path" not in answers:
                raise RuntimeError("Failed to get data")
            return str(answers["path"])

        def get_spectrum_fits_filename(self, type):
            return f"hd2811_{type}_006.fits"

    package, module = ModuleType("getCalspec"), ModuleType("getCalspec.getCalspec")
    module.Calspec = Calspec
    monkeypatch.setitem(sys.modules, "getCalspec", package)
    monkeypatch.setitem(sys.modules, "getCalspec.getCalspec", module)
    return answers


def test_a_star_by_name(archive, tmp_path):
    archive["path"] = calspec(tmp_path / "contents.fits").rename(tmp_path / "contents")
    model = star_model("HD 2811")
    assert (model.name, model.inputs, model.stand_in) == ("hd2811_mod_006.fits", (), False)
    np.testing.assert_allclose(model.flux, JANSKY, rtol=2e-7)


def test_without_network_it_is_a_sentence(archive):
    with pytest.raises(LRSError, match=r"HD 2811: .* cannot be fetched .*RuntimeError.*give its file"):
        star_model("HD 2811")
    with pytest.raises(LRSError, match="neither a file nor a star of CALSPEC"):
        star_model("HD 1")


# --- several ---


def test_several_stars_are_averaged_and_their_scatter_is_systematic(star):
    models = [plain(WAVELENGTH, JANSKY * factor) for factor in (0.98, 1.0, 1.02)]
    one, mean = response(star, models[1]), response([star] * 3, models)
    known = np.isfinite(mean.factor)
    np.testing.assert_allclose(mean.factor[known], one.factor[known], rtol=1e-3)
    np.testing.assert_allclose(mean.error[known], one.error[known] / np.sqrt(3), rtol=0.03)
    np.testing.assert_allclose((mean.systematic / mean.factor)[known], 0.02, rtol=0.02)
    assert mean.stars == ("SIMULATED",) * 3
    assert "scatter by 2.0" in mean.notes[0]


def test_epochs_of_one_star_do_not_scatter_more_than_their_errors():
    stars = [extracted(STAR, BOX, seed=seed) for seed in (5, 50, 51, 52)]
    mean = response(stars, MODEL)
    assert np.nanmedian(mean.systematic / mean.factor) < 3e-4
    assert np.nanmedian(mean.error) < 0.75 * np.nanmedian(response(stars[0], MODEL).error)


def test_stars_extracted_differently_are_refused(star):
    with pytest.raises(LRSError, match="width 4 and 6; extract them alike"):
        response([star, extracted(STAR, {**BOX, "extract_width": 6})], MODEL)
    with pytest.raises(LRSError, match=r"2 spectra of stars and 3 models"):
        response([star, star], [MODEL] * 3)
    with pytest.raises(LRSError, match="0 spectra"):
        response([], MODEL)


# --- files ---


@pytest.mark.parametrize("kind", [BOX, OPTIMAL])
def test_file_holds_all(kind, tmp_path):
    r = response(extracted(STAR, kind), MODEL)
    again = read_response(r.write(tmp_path / "r.ecsv"))
    for name in ("wavelength", "factor", "error", "systematic", "apcorr"):
        np.testing.assert_array_equal(getattr(again, name), getattr(r, name))
    assert again.manner == r.manner
    for name in ("stars", "models", "epochs", "chi_square", "stand_in", "versions", "made", "notes"):
        assert getattr(again, name) == getattr(r, name)
    meta = Table.read(tmp_path / "r.ecsv", format="ascii.ecsv").meta
    assert (meta["manner"]["mode"], meta["manner"]["subarray"]) == ("MIR_LRS-FIXEDSLIT", "FULL")
    assert meta["hash"] == r.manner.hash


def test_files_that_do_not_hold_together(tmp_path, star):
    path = response(star, MODEL).write(tmp_path / "r.ecsv")
    text = path.read_text()
    for change, told in {
        ("width: [4.0]", "width: [5.0]"): "was changed",
        ("jdaviz-lrs response", "something else"): "this is no response",
        ("datatype: float64", "datatype: string"): "this is no response",
    }.items():
        assert change[0] in text
        other = tmp_path / "other.ecsv"
        other.write_text(text.replace(*change))
        with pytest.raises(LRSError, match=told):
            read_response(other)
    other.write_text("no table")
    for wrong in (other, tmp_path / "absent.ecsv", tmp_path):
        with pytest.raises(LRSError, match=r"is no response|no such file"):
            read_response(wrong)


def test_a_file_is_not_written_over(tmp_path, star):
    given = ecsv(tmp_path / "star.ecsv")
    r = response(star, given)
    with pytest.raises(LRSError, match="input"):
        r.write(given, overwrite=True)
    r.write(tmp_path / "r.ecsv")
    with pytest.raises(LRSError, match="exists"):
        r.write(tmp_path / "r.ecsv")
    with pytest.raises(LRSError, match=r"let the name end with \.ecsv"):
        r.write(tmp_path / "r.fits")


# --- bad input ---


def unitless(folder):
    Table({"wavelength": WAVELENGTH, "flux": JANSKY}).write(folder / "a.txt", format="ascii")
    return folder / "a.txt"


def in_air(folder):
    return calspec(folder / "air.fits", AIRORVAC="air")


def observed(folder):
    return extracted(STAR, BOX).write(folder / "star_x1d.fits")


BAD_MODELS = {
    "a spectrum": (observed, r"star_x1d\.fits: this was observed \(MultiSpecModel\), and is no model"),
    "short": (
        lambda folder: plain(WAVELENGTH[WAVELENGTH < 10], JANSKY[WAVELENGTH < 10]),
        "reaches from 2 to .* needed",
    ),
    "with a hole": (
        lambda folder: plain(*(one[abs(WAVELENGTH - 8) > 0.5] for one in (WAVELENGTH, JANSKY))),
        "nothing between 7.* and 8.* um",
    ),
    "nothing": (lambda folder: None, "Give the star's model"),
    "no units": (unitless, "no column has the unit of wavelengths"),
    "odd units": (
        lambda folder: calspec(folder / "a.fits", ("ANGSTROMS", "COUNTS")),
        "unit of flux densities",
    ),
    "air": (in_air, "its wavelengths are in air; convert them to vacuum"),
    "air by type": (lambda folder: calspec(folder / "a.fits", TCTYP1="AWAV"), "in air"),
    "absent": (lambda folder: folder / "absent.fits", "there is no such file"),
    "no table": (
        lambda folder: fits.PrimaryHDU(np.ones(3)).writeto(folder / "a.fits") or folder / "a.fits",
        "not a table",
    ),
    "negative": (lambda folder: plain(WAVELENGTH, -JANSKY), "not positive"),
    "pure numbers": (
        lambda folder: Spectrum(spectral_axis=WAVELENGTH * u.um, flux=JANSKY * u.one),
        "are not units of a spectrum",
    ),
    "stand-in": (lambda folder: "engelke:4000", "engelke:KELVIN:JANSKY"),
    "cold stand-in": (lambda folder: "engelke:-1:1", "not positive"),
    "dark stand-in": (lambda folder: "rayleigh-jeans:0", "cannot be"),
}


@pytest.mark.parametrize("case", BAD_MODELS)
def test_bad_models(case, tmp_path, star):
    make, told = BAD_MODELS[case]
    model = make(tmp_path)
    with pytest.raises(LRSError, match=told):
        response(star, model)


def test_bad_stars(star):
    with pytest.raises(LRSError, match="it has no errors"):
        response(replace(star, flux_error=np.full(star.flux.shape, np.nan)), MODEL)
    with pytest.raises(LRSError, match="it has no errors"):
        response(replace(star, flux_error=np.zeros(star.flux.shape)), MODEL)
    with pytest.raises(LRSError, match="the star is not there"):
        response(replace(star, flux=-star.flux), MODEL)
    with pytest.raises(LRSError, match="have a valid flux"):
        response(star, MODEL, wavelength_range=(5, 5.3))
    with pytest.raises(LRSError, match="it has no errors"):
        response(replace(star, dq=np.ones_like(star.dq)), MODEL)
    for wrong in ((9, 6), (20, 30)):
        with pytest.raises(LRSError, match=r"no wavelength from .* rising order"):
            response(star, MODEL, wavelength_range=wrong)
    for given in ({"wavelength_range": (float("nan"), 9)}, {"wavelength_range": "5"}, {"masked": (5, 6)}):
        with pytest.raises(LRSError, match="is no range of wavelengths"):
            response(star, MODEL, **given)
    with pytest.raises(LRSError, match="2 integrations"):
        response(replace(star, flux=np.stack([star.flux] * 2)), MODEL)
