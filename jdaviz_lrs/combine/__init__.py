"""Several exposures, nods or integrations into one spectrum.

The function `jdaviz_lrs.combine` has the name of this room: the room, called, is that function.
"""

import sys
from importlib import import_module
from types import ModuleType


class _Room(ModuleType):
    def __call__(self, *arguments, **keywords):
        """See `jdaviz_lrs.combine.spectra.combine`."""
        return import_module("jdaviz_lrs.combine.spectra").combine(*arguments, **keywords)


sys.modules[__name__].__class__ = _Room
