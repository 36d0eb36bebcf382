"""A simulated observation on disk, named as the pipeline names its products."""

import os
from dataclasses import asdict, replace
from pathlib import Path

from astropy import units
from astropy.table import QTable

from jdaviz_lrs.products.files import whole_file
from jdaviz_lrs.references.extract1d import BUILT_IN_EXTRACT1D
from jdaviz_lrs.references.psf import write_psf
from jdaviz_lrs.simulate.exposure import SimulatedExposure, simulate
from jdaviz_lrs.simulate.models import to_model
from jdaviz_lrs.simulate.psf import simulated_psf
from jdaviz_lrs.simulate.references import write_apcorr
from jdaviz_lrs.simulate.scene import Scene

__all__ = ["write_exposure", "write_observation"]


def write_exposure(
    observation: SimulatedExposure, path: str | os.PathLike, image_model: bool = False
) -> Path:
    """Write one exposure as an s2d or cal file; nothing is left at `path` if it fails.

    Parameters
    ----------
    observation : SimulatedExposure
        From `simulate`.
    path : path-like
        The FITS file to write.
    image_model : bool
        Whether a cal is an ImageModel, as before jwst 2.0, or a SlitModel, as since.

    Returns
    -------
    pathlib.Path
        The file written.
    """
    path = Path(path)
    with to_model(observation, image_model) as model, whole_file(path, overwrite=True) as temporary:
        model.save(temporary)
    return path


def write_observation(
    directory: str | os.PathLike, scene: Scene | None = None, *, cal: bool = True, image_model: bool = False
) -> dict[str, Path]:
    """Write both nods of a scene, its reference files and its truth.

    Parameters
    ----------
    directory : path-like
        Made if it does not exist; files of the same names are replaced.
    scene : Scene, optional
        The settings; by default those of `Scene`. Both nods are written nod-subtracted and not.
    cal : bool, optional
        Whether to write the cal files too (30 MB each).
    image_model : bool
        Whether they are ImageModels, as before jwst 2.0, or SlitModels, as since.

    Returns
    -------
    dict of str to pathlib.Path
        ``nod1_s2d``, ``nod1_nobsub_s2d``, ``nod1_cal``, ``nod1_nobsub_cal``, the same of ``nod2``,
        ``psf``, ``apcorr``, ``extract1d`` and ``truth``.
    """
    scene, directory = scene or Scene(), Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    paths, truth = {}, {}
    for product in ("s2d", "cal") if cal else ("s2d",):
        for nod in (1, 2):
            for tag, subtracted in (("", True), ("nobsub_", False)):
                observation = simulate(replace(scene, nod_subtracted=subtracted), product, nod)
                name = f"jw00001001001_03101_{nod:05d}_mirimage_{tag}{product}.fits"
                paths[f"nod{nod}_{tag}{product}"] = write_exposure(observation, directory / name, image_model)
            truth[f"trace_nod{nod}_{product}"] = observation.truth.trace * units.pix
    psf = simulated_psf()
    paths["psf"] = write_psf(psf, directory / "lrs_psf.fits")
    paths["apcorr"] = write_apcorr(psf, directory / "lrs_apcorr.fits")
    paths["extract1d"] = BUILT_IN_EXTRACT1D.write(directory / "lrs_extract1d.json", overwrite=True)
    light = {"wavelength": observation.truth.wavelength * units.um, "flux": observation.truth.flux * units.Jy}
    table = QTable(light | truth, meta={"scene": asdict(scene)})
    paths["truth"] = directory / "truth.ecsv"
    with whole_file(paths["truth"], overwrite=True) as temporary:
        table.write(temporary)
    return paths
