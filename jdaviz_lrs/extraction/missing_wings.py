"""A refinement anew with wings that the PSF reference lacks and the aperture correction tells of."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace

from jdaviz_lrs.data.image import SpectralImage
from jdaviz_lrs.data.psf import SpectralPSF
from jdaviz_lrs.engine.refine.judging import Earned, Setting, refine_what_earns
from jdaviz_lrs.engine.refine.run import Step, gain
from jdaviz_lrs.engine.refine.scene_model import SceneModel
from jdaviz_lrs.modes.lrs_slit import LRS_SLIT
from jdaviz_lrs.references.lent_wings import lend_wings
from jdaviz_lrs.references.lrs_psf import built_in_psf
from jdaviz_lrs.references.pixels import scaled_to

__all__ = ["FAR_APART", "refine_with_wings"]

FAR_APART = 0.03
"""Of the light, that the aperture correction has in the aperture more than the PSF: by less a PSF lacks no
wings, but was measured elsewhere."""

WORSE = -4.5
"""Logarithm of the likelihood: three sigma, by which data may prefer a PSF without wings by chance."""


def refine_with_wings(
    earned: Earned,
    start: SceneModel,
    unrefined: SceneModel,
    chosen: Collection[str],
    setting: Setting,
    image: SpectralImage,
    psf: SpectralPSF,
    progress: Callable[[Step], None] | None = None,
) -> Earned | None:
    """Refine again with the wings of the built-in PSF, where the references contradict each other.

    Parameters
    ----------
    earned : Earned
        With the PSF as it is.
    start, unrefined, chosen, setting, progress
        See `refine_what_earns`.
    image : SpectralImage
    psf : SpectralPSF
        On the pixels of the image.

    Returns
    -------
    Earned or None
        None where the PSF lacks no wings, or the data are explained better without them.
    """
    enclosed = earned.refined.enclosed
    if image.mode is not LRS_SLIT or setting.tabulated is None or enclosed is None:
        return None
    if enclosed.followed != "apcorr" or enclosed.disagreement > -FAR_APART:
        return None
    model, width = scaled_to(image, built_in_psf()), start.calibration_width
    winged = lend_wings(psf, model, image.row_wavelength, setting.tabulated, width)
    grid = winged.on(image.wavelength, image.xdisp_index)
    start, unrefined = (replace(one, grid=grid) for one in (start, unrefined))
    other = refine_what_earns(start, unrefined, chosen, setting, progress)
    one, two = earned.refined, other.refined
    likelier = gain(setting.frame, one.variances, one.rejected & two.rejected, one.complete, two.complete)
    return other if likelier > WORSE else None
