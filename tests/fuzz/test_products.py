"""Images and spectra from damaged files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from jdaviz_lrs import combine, extract, light_curves, read, read_c1d, read_x1d, read_x1dints
from jdaviz_lrs.references.find import find_references
from tests.fuzz.damage import Card, byte_changes, card_changes, cards, with_bytes, with_cards
from tests.fuzz.search import assert_sound, attempt, differs, folder, lengths, says_more, search
from tests.slitless import write_segments

PARAMETERS = {"extract_width": 8, "use_source_posn": True, "bkg_coeff": [[2], [6]]}


def extracted(content: bytes, **changes):
    path = Path(folder(), "damaged_s2d.fits")
    path.write_bytes(content)
    image = read(path)
    return extract(image, references=find_references(image, crds=False), **PARAMETERS | changes)


def written(spectrum):
    """What an image's header holds is carried into that of its spectrum."""
    x1d_read(spectrum.write(Path(folder(), "made_x1d.fits"), overwrite=True).read_bytes())
    return spectrum


def card_cases(observation):
    content = observation["nod1_nobsub_s2d"].read_bytes()
    whole = extracted(content)

    def holds(changes):
        spectrum = attempt(lambda: written(extracted(with_cards(content, changes))))
        if spectrum is not None and differs(spectrum, whole):
            assert says_more(spectrum, whole)

    return card_changes(content), holds


def byte_cases(observation):
    content = observation["nod1_nobsub_s2d"].read_bytes()

    def holds(change):
        attempt(lambda: written(extracted(with_bytes(content, change))))

    return byte_changes(content), holds


def x1d_of(observation) -> bytes:
    spectrum = extract(observation["nod1_s2d"], override_apcorr=observation["apcorr"])
    path = Path(folder(), "whole_x1d.fits")
    return spectrum.write(path, overwrite=True).read_bytes()


def x1d_read(content: bytes):
    path = Path(folder(), "damaged_x1d.fits")
    path.write_bytes(content)
    spectrum = read_x1d(path)
    spectrum.to_spectrum()
    return spectrum


#: What once was read as it stood: a variance below zero.
X1D_BYTES = ((((32132, 128),), None),)


def x1d_card_cases(observation):
    content = x1d_of(observation)
    return card_changes(content), lambda changes: attempt(lambda: x1d_read(with_cards(content, changes)))


def x1d_byte_cases(observation):
    content = x1d_of(observation)
    return byte_changes(content), lambda change: attempt(lambda: x1d_read(with_bytes(content, change)))


#: Cards of an image whose number no header holds, and which once were carried into the spectrum's.
NO_NUMBERS = ("TARG_RA", "EXPSTART", "PXSCLRT")


@lengths(few=40)
def test_cards_of_an_image(number, observation):
    every = cards(observation["nod1_nobsub_s2d"].read_bytes())
    infinite = [((card, "1E400"),) for card in every if card.keyword in NO_NUMBERS]
    assert len(infinite) == len(NO_NUMBERS)
    search(number, *card_cases(observation), infinite)


#: A date that no header holds.
IMAGE_BYTES = ((((888, 0),), None),)


@lengths(few=12)
def test_bytes_of_an_image(number, observation):
    search(number, *byte_cases(observation), IMAGE_BYTES)


@lengths(few=12)
def test_cards_of_a_spectrum(number, observation):
    search(number, *x1d_card_cases(observation))


@lengths(few=12)
def test_bytes_of_a_spectrum(number, observation):
    search(number, *x1d_byte_cases(observation), X1D_BYTES)


def series_cases(observation, changes, damaged):
    """A series of three integrations, as it was written."""
    path = Path(folder(), "whole_x1dints.fits")
    with tempfile.TemporaryDirectory() as segments:
        paths = write_segments(Path(segments), (2, 1))
        content = extract(paths).write(path, overwrite=True).read_bytes()

    def reading(change):
        path.write_bytes(damaged(content, change))
        series = read_x1dints(path)
        assert_sound(series.table)
        light_curves(series)
        series.write(path, overwrite=True)

    return changes(content), lambda change: attempt(lambda: reading(change))


#: A parameter whose name no header holds.
SERIES_BYTES = ((((25293, 3),), None),)
#: Wavelengths of one number, fluxes of many.
SERIES_CARDS = (((Card("EXTRACT1D", "TFORM2", 15280), "'x'"),),)


@lengths(few=8)
@pytest.mark.parametrize(
    ("changes", "damaged", "seeds"),
    [(card_changes, with_cards, SERIES_CARDS), (byte_changes, with_bytes, SERIES_BYTES)],
    ids=["cards", "bytes"],
)
def test_a_series_of_spectra(number, changes, damaged, seeds, observation):
    search(number, *series_cases(observation, changes, damaged), seeds)


def combined_cases(observation, changes, damaged):
    """One of two spectra is damaged; what is combined is written and read."""
    content = x1d_of(observation)
    other = extract(observation["nod2_s2d"], override_apcorr=observation["apcorr"])
    damaged_path, result = Path(folder(), "one_x1d.fits"), Path(folder(), "both_c1d.fits")

    def both(change):
        damaged_path.write_bytes(damaged(content, change))
        combine([damaged_path, other]).write(result, overwrite=True)
        both = read_c1d(result)
        assert_sound(vars(both))
        both.to_spectrum()

    return changes(content), lambda change: attempt(lambda: both(change))


def c1d_cases(observation, changes, damaged):
    path = Path(folder(), "damaged_c1d.fits")
    sources = [extract(observation[f"nod{nod}_s2d"]) for nod in (1, 2)]
    content = combine(sources).write(path, overwrite=True).read_bytes()

    def reading(change):
        path.write_bytes(damaged(content, change))
        both = read_c1d(path)
        assert_sound(vars(both))
        both.to_spectrum()

    return changes(content), lambda change: attempt(lambda: reading(change))


#: What once ended in an error of a library: numbers that no header holds, part of a verdict, a column of
#: wavelengths that is read as another, wavelengths in no order.
COMBINED_CARDS = (
    ((Card("PRIMARY", "EXPSTART", 2560), "1E400"),),
    ((Card("EXTRACT1D", "SLIT_RA", 14160), "1E400"),),
)
C1D_CARDS = (
    ((Card("COMBINE1D", "TFORM7", 10800), "'x'"),),
    ((Card("LRS_INPUTS", "TFORM2", 41280), "'x'"),),
)
COMBINED_BYTES = tuple(
    (((place, byte),), None) for place, byte in ((16996, 32), (15550, 33), (15549, 34), (15549, 32))
)
C1D_BYTES = ((((26700, 0),), None),)


@lengths(few=10)
@pytest.mark.parametrize(
    ("cases", "seeds"), [(combined_cases, COMBINED_CARDS), (c1d_cases, C1D_CARDS)], ids=["combined", "c1d"]
)
def test_cards_of_what_is_combined(number, cases, seeds, observation):
    search(number, *cases(observation, card_changes, with_cards), seeds)


@lengths(few=10)
@pytest.mark.parametrize(
    ("cases", "seeds"), [(combined_cases, COMBINED_BYTES), (c1d_cases, C1D_BYTES)], ids=["combined", "c1d"]
)
def test_bytes_of_what_is_combined(number, cases, seeds, observation):
    search(number, *cases(observation, byte_changes, with_bytes), seeds)
