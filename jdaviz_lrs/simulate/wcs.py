"""Where the light goes: the coordinate systems of the detector and of the rectified image.

Numbers are rounded fits to the in-flight MIRI references (specwcs 0005, imager distortion and filter
offsets flt9): the wavelength solution holds to 4 nm at 5-14 um, the tilt of the trace to 1e-5 px.
The slit is taken to lie exactly along the Ideal X axis, from which it deviates by 0.06 degrees.

Without the slit (specwcs 0006) the same dispersion lies elsewhere on the detector: its ends, 13.994 um in row
7 and 3.707 um in row 394, and the trace in the first, a middle and the last row are those of the reference.
"""

from dataclasses import dataclass

import gwcs.coordinate_frames as cf
import numpy as np
from astropy import coordinates, units
from astropy.modeling import Model
from astropy.modeling import models as m
from gwcs import WCS
from gwcs.geometry import CartesianToSpherical, SphericalToCartesian
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "SLIT",
    "SLITLESS",
    "Optics",
    "Pointing",
    "detector_wcs",
    "rectified_wcs",
    "slit_column",
    "source_coordinates",
    "wavelength_at",
]

V2_REF, V3_REF, V3I_YANG, VPARITY = -414.7798, -400.6159, 4.75797, -1
SLIT_IDEAL = (0.04, 0.18)
"""Ideal (X, Y) of the slit's reference point, arcsec."""
SLIT_COLUMN, SLIT_ROW = 325.13, 299.7
"""Detector (x, y) of the slit's reference point."""
SCALE = 0.11057
"""Arcsec along the slit per pixel."""
BOUNDING_BOX = ((302.5, 346.5), (6.7, 393.7))
FIRST_ROW, LAST_ROW = 7, 393
RECTIFIED_COLUMNS, RECTIFIED_CENTER = 46, 22.5
WAVELENGTH_COEFFICIENTS = (-0.3324, 2.5592, -7.9243, 12.4466, -10.3994, 10.2324, 1.9075)
TILT_COEFFICIENTS = (-0.40914, 5.15646e-3, -1.0564e-5)
VELOCITY_ABERRATION = 0.9999844


@dataclass(frozen=True)
class Optics:
    """Where the spectrum of an aperture of the telescope lies on the detector."""

    v2_ref: float
    """Of the aperture, arcsec."""
    v3_ref: float
    """Of the aperture, arcsec."""
    v3i_yang: float
    """Angle of its Ideal Y axis, degrees."""
    ideal: tuple[float, float]
    """Ideal (X, Y) of the point whose light makes the trace, arcsec."""
    column: float
    """Of the trace in row 200."""
    tilt: tuple[float, ...]
    """Coefficients of the trace's further course against the row, from row 200."""
    scale: float
    """Arcsec along the slit per pixel."""
    bounding_box: tuple[tuple[float, float], tuple[float, float]]
    """(x, y) where the transform holds."""
    rows: tuple[int, int]
    """The first and the last with light."""
    fold: tuple[float, float] = (395.0, 1.0)
    """Row of the prism's fold, and rows of the slit's dispersion per row."""

    def wavelength_at(self, row: ArrayLike) -> NDArray[np.float64]:
        """Wavelength, um, at a row: a polynomial in the root of the distance to the prism's fold."""
        distance = self.fold[0] - self.fold[1] * np.asarray(row, float)
        return np.polyval(WAVELENGTH_COEFFICIENTS, np.sqrt(distance / 100))

    def column_at(self, row: ArrayLike) -> NDArray[np.float64]:
        """Column of the reference point in a row: the tilt and curve of the trace."""
        return self.column + np.polynomial.polynomial.polyval(np.asarray(row, float) - 200, self.tilt)


SLIT = Optics(
    V2_REF,
    V3_REF,
    V3I_YANG,
    SLIT_IDEAL,
    SLIT_COLUMN,
    TILT_COEFFICIENTS,
    SCALE,
    BOUNDING_BOX,
    (FIRST_ROW, LAST_ROW),
)
SLITLESS = Optics(
    -378.832074,
    -344.944543,
    4.83425324,
    (0.0, 0.0),
    37.2375,
    (0.0, 3.26247e-3, -6.6534e-6),
    0.10984,
    ((3.5, 71.5), (5.5, 395.5)),
    (7, 394),
    (393.188438, 0.98662269),
)
"""Rows and columns are those of the subarray SLITLESSPRISM."""


@dataclass(frozen=True)
class Pointing:
    """Where the telescope looks while the source is at Ideal (x_offset, y_offset)."""

    x_offset: float
    """Ideal X of the source, arcsec."""
    y_offset: float = SLIT_IDEAL[1]
    """Ideal Y of the source, arcsec: in the slit."""
    ra: float = 150.1
    """Of the source, degrees."""
    dec: float = 2.2
    """Of the source, degrees."""
    roll_ref: float = 3.0
    """Position angle of the V3 axis, degrees."""
    optics: Optics = SLIT
    """Of the aperture that the source is seen through."""

    @property
    def reference(self) -> tuple[float, float]:
        """RA and Dec at (V2_REF, V3_REF), degrees, in the plane of the sky: good to microarcseconds."""
        optics = self.optics
        offset = np.array(_ideal_to_v2v3(optics)(self.x_offset, self.y_offset))
        offset -= (optics.v2_ref, optics.v3_ref)
        v2, v3 = VELOCITY_ABERRATION * offset
        cos, sin = np.cos(np.radians(self.roll_ref)), np.sin(np.radians(self.roll_ref))
        dec = self.dec - (v3 * cos - v2 * sin) / 3600
        return self.ra - (v2 * cos + v3 * sin) / 3600 / np.cos(np.radians(self.dec)), dec


def source_coordinates(pointing: Pointing) -> tuple[float, float]:
    """RA and Dec, degrees, that the WCS gives the source; within microarcseconds of those asked for."""
    to_sky = detector_wcs(pointing).get_transform("v2v3", "world")
    ra, dec, _ = to_sky(*_ideal_to_v2v3(pointing.optics)(pointing.x_offset, pointing.y_offset), 0.0)
    return float(ra), float(dec)


def wavelength_at(row: ArrayLike) -> NDArray[np.float64]:
    """Wavelength, um, at a detector row, of the slit."""
    return SLIT.wavelength_at(row)


def slit_column(row: ArrayLike) -> NDArray[np.float64]:
    """Detector column of the slit's reference point at a detector row."""
    return SLIT.column_at(row)


def detector_wcs(pointing: Pointing) -> WCS:
    """WCS of a cal, with the frames of the pipeline: detector, alpha_beta, v2v3, v2v3vacorr, world."""
    optics = pointing.optics
    frames = _spectral_frame("alpha_beta"), _spectral_frame("v2v3"), _spectral_frame("v2v3vacorr")
    to_v2v3 = m.Mapping((0, 1, 2)) | (_slit_to_v2v3(optics) & m.Identity(1))
    aberration = (
        m.Scale(VELOCITY_ABERRATION) & m.Scale(VELOCITY_ABERRATION)
        | m.Shift(optics.v2_ref * (1 - VELOCITY_ABERRATION))
        & m.Shift(optics.v3_ref * (1 - VELOCITY_ABERRATION))
    ) & m.Identity(1)
    steps = [
        (_detector_frame(), _detector_to_slit(optics)),
        (frames[0], to_v2v3),
        (frames[1], aberration),
        (frames[2], _v2v3_to_sky(pointing) & m.Identity(1)),
        (_world_frame(), None),
    ]
    wcs = WCS(steps)
    wcs.bounding_box = optics.bounding_box
    return wcs


def rectified_wcs(pointing: Pointing) -> WCS:
    """WCS of an s2d: detector, world; columns linear along the slit, rows those of the detector."""
    to_sky = detector_wcs(pointing).get_transform("alpha_beta", "world")
    alpha = SCALE * (np.array([0.0, RECTIFIED_COLUMNS - 1]) - RECTIFIED_CENTER)
    center = np.mean(alpha)
    lon, lat, _ = to_sky(center, 0.0, 10.0)
    tangent = m.Pix2Sky_TAN() | m.RotateNative2Celestial(lon, lat, 180.0)
    ends = np.array(tangent.inverse(*to_sky(alpha, np.zeros(2), np.full(2, 10.0))[:2]))
    slope = (ends[:, 1] - ends[:, 0]) / (RECTIFIED_COLUMNS - 1)
    mapping = m.Mapping((0, 0, 1))
    mapping.inverse = m.Mapping((0, 2), n_inputs=3)  # right ascension is the longer way along the slit
    along = m.Linear1D(slope[0], ends[0, 0]) & m.Linear1D(slope[1], ends[1, 0])
    transform = mapping | (along | tangent) & _wavelength_table(SLIT, shift=FIRST_ROW)
    wcs = WCS([(_detector_frame(), transform), (_world_frame(), None)])
    n_rows = LAST_ROW - FIRST_ROW + 1
    wcs.bounding_box = ((-0.5, RECTIFIED_COLUMNS - 0.5), (-0.5, n_rows - 0.5))
    wcs.array_shape = (n_rows, RECTIFIED_COLUMNS)
    return wcs


def _wavelength_table(optics: Optics, shift: int = 0) -> Model:
    first, last = optics.rows
    row = np.arange(first - 1.0, last + 2.0)
    return m.Tabular1D(row - shift, optics.wavelength_at(row), bounds_error=False, fill_value=np.nan)


def _detector_to_slit(optics: Optics) -> Model:
    """(x, y) to (alpha, beta, wavelength); beta is zero, since the slit's width is not resolved."""
    table = _wavelength_table(optics)
    column = m.Shift(-200.0) | m.Polynomial1D(2, **{f"c{i}": c for i, c in enumerate(optics.tilt)})
    beside = m.Mapping((0,), n_inputs=2) - (m.Mapping((1,)) | column)
    alpha = beside | m.Shift(-optics.column) | m.Scale(optics.scale)
    forward = m.Mapping((0, 1, 1, 1)) | alpha & m.Const1D(0.0) & table
    x = m.Mapping((0,), n_inputs=2) | m.Scale(1 / optics.scale) | m.Shift(optics.column)
    x = x + (m.Mapping((1,)) | table.inverse | column)
    forward.inverse = m.Mapping((0, 2, 2), n_inputs=3) | x & table.inverse
    return forward


def _ideal_to_v2v3(optics: Optics = SLIT) -> Model:
    angle = np.radians(optics.v3i_yang)
    matrix = [[VPARITY * np.cos(angle), np.sin(angle)], [-VPARITY * np.sin(angle), np.cos(angle)]]
    return m.AffineTransformation2D(matrix, [optics.v2_ref, optics.v3_ref])


def _slit_to_v2v3(optics: Optics = SLIT) -> Model:
    return m.Shift(optics.ideal[0]) & m.Shift(optics.ideal[1]) | _ideal_to_v2v3(optics)


def _v2v3_to_sky(pointing: Pointing) -> Model:
    ra, dec = pointing.reference
    optics = pointing.optics
    angles = [optics.v2_ref / 3600, -optics.v3_ref / 3600, pointing.roll_ref, dec, -ra]
    return (
        m.Scale(1 / 3600) & m.Scale(1 / 3600)
        | SphericalToCartesian(wrap_lon_at=180)
        | m.RotationSequence3D(angles, "zyxyz")
        | CartesianToSpherical(wrap_lon_at=360)
    )


def _detector_frame() -> cf.Frame2D:
    return cf.Frame2D(name="detector", axes_order=(0, 1), unit=(units.pix, units.pix))


def _spectral_frame(name: str) -> cf.CompositeFrame:
    plane = cf.Frame2D(name=f"{name}_spatial", axes_order=(0, 1), unit=(units.arcsec, units.arcsec))
    return cf.CompositeFrame([plane, _wavelength_frame(f"{name}_spectral")], name=name)


def _world_frame() -> cf.CompositeFrame:
    sky = cf.CelestialFrame(name="sky", axes_order=(0, 1), reference_frame=coordinates.ICRS())
    return cf.CompositeFrame([sky, _wavelength_frame("spectral")], name="world")


def _wavelength_frame(name: str) -> cf.SpectralFrame:
    return cf.SpectralFrame(name=name, axes_order=(2,), unit=(units.um,), axes_names=("wavelength",))
