"""What is particular to an instrument mode: one file a mode."""

from jdaviz_lrs.modes.lrs_slit import LRS_SLIT
from jdaviz_lrs.modes.lrs_slitless import LRS_SLITLESS
from jdaviz_lrs.modes.mode import Mode

__all__ = ["DEFAULT", "LRS_SLIT", "LRS_SLITLESS", "MODES", "Mode", "mode_of"]

#: Every mode by its ``EXP_TYPE``.
MODES = {mode.exposure_type: mode for mode in (LRS_SLIT, LRS_SLITLESS)}

#: Where a header does not tell.
DEFAULT = LRS_SLIT


def mode_of(exposure_type: str) -> Mode:
    """Return the mode of an ``EXP_TYPE``; of one that is not known, what can be said of any."""
    return MODES.get(exposure_type) or DEFAULT.of_unknown(exposure_type)
