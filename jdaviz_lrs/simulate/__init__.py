"""Exposures with a known truth, in the format of the pipeline."""

from jdaviz_lrs.simulate.exposure import SimulatedExposure, Truth, simulate, simulate_nods
from jdaviz_lrs.simulate.models import to_model
from jdaviz_lrs.simulate.psf import simulated_psf
from jdaviz_lrs.simulate.scene import Scene
from jdaviz_lrs.simulate.series import SimulatedSeries, write_series
from jdaviz_lrs.simulate.series_scene import SeriesScene
from jdaviz_lrs.simulate.write import write_exposure, write_observation

__all__ = [
    "Scene",
    "SeriesScene",
    "SimulatedExposure",
    "SimulatedSeries",
    "Truth",
    "simulate",
    "simulate_nods",
    "simulated_psf",
    "to_model",
    "write_exposure",
    "write_observation",
    "write_series",
]
