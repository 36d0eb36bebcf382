"""Which of several ways an image may have been blurred along the spectrum is the one that its data show."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from jdaviz_lrs.engine.neighbours import running_median
from jdaviz_lrs.engine.order_statistics import scatter
from jdaviz_lrs.engine.refine.scene_model import Frame, SceneModel, linear_fit

__all__ = ["likeliest_blur"]

Image = NDArray[np.float64]
Row = NDArray[np.float64]

WIDTH_ORDER = 2
"""Along the spectrum: a PSF of another width looks like a blur that changes slowly."""

LEAST_ERROR = 0.01
"""Pixels squared, of the blur in a row: bright sources are limited by what the PSF is, not by noise."""

NEIGHBOURS, OUTLYING = 25, 5.0
"""Rows, and sigma: a row that is so far off its neighbours is hit by something else."""

SIGNIFICANT = 25.0
"""Of the chi-square, in units of what is left of it for each row: five sigma."""


def likeliest_blur(scene: SceneModel, frame: Frame, blurs: Image) -> Row | None:
    """Choose among blurs.

    Parameters
    ----------
    scene : SceneModel
        With the blur that is expected on the whole.
    frame : Frame
    blurs : ndarray, (n_blur, n_disp)
        Half the variance of the kernel, in pixels squared.

    Returns
    -------
    ndarray, (n_disp,), or None
        None where the data show none of them clearly better than the expected one.

    Notes
    -----
    Every row tells by how much it is blurred beyond what the scene has, by the change of its profiles. What
    changes slowly along the spectrum is the PSF's width, and does not count.
    """
    seen, error = _blur_by_row(scene, frame)
    used = np.isfinite(seen)
    if used.sum() <= WIDTH_ORDER + 1:
        return None
    beyond = np.where(used, seen, 0.0) - running_median(np.where(used, seen, 0.0), NEIGHBOURS)
    spread = max(scatter((beyond / error)[used]), 1.0)
    used &= np.abs(beyond) < OUTLYING * spread * error
    along = np.linspace(-1.0, 1.0, seen.size)[used]
    weight = 1.0 / error[used]
    slow, _ = np.linalg.qr(legendre.legvander(along, WIDTH_ORDER) * weight[:, None])
    # the first is what is expected
    models = np.vstack([scene.blur, blurs])[:, used]
    left = (seen[used] + scene.blur[used] - models) * weight
    left = left - (left @ slow) @ slow.T
    squares = np.vecdot(left, left)
    best = int(squares.argmin())
    better = squares[0] - squares[best]
    return blurs[best - 1] if better > SIGNIFICANT * max(squares[best] / used.sum(), 1.0) else None


def _blur_by_row(scene: SceneModel, frame: Frame) -> tuple[Row, Row]:
    """Return the blur beyond the scene's and its error, (n_disp,); NaN and infinite where none tells."""
    variance = frame.variances.sum(axis=0)
    weights = np.divide(1.0, variance, out=np.zeros_like(variance), where=frame.good & (variance > 0))
    fit = linear_fit(scene.profiles(), scene.basis, frame.data, weights)
    change = fit.project_out(np.einsum("sr,srx->rx", fit.steady_flux, scene.blurring))
    power = np.vecdot(weights * change, change)
    told = power > 0
    blur = np.divide(
        np.vecdot(weights * change, fit.residual), power, out=np.full(told.shape, np.nan), where=told
    )
    own = np.divide(1.0, power, out=np.full(told.shape, np.inf), where=told)
    return blur, np.sqrt(own + LEAST_ERROR**2)
