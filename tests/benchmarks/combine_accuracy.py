"""Nods combined, and extracted jointly, against the truth; the pipeline's combine_1d beside it."""

from __future__ import annotations

import logging
import tempfile
import time
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from jdaviz_lrs.combine.joint import extract_jointly
from jdaviz_lrs.combine.spectra import combine
from jdaviz_lrs.simulate import Scene
from tests.benchmarks.timing import verdict
from tests.combine1d_step import pipeline_c1d
from tests.nods import (
    HIT,
    PLAIN,
    REFINED,
    columns,
    compare,
    cramer_rao,
    extracted,
    good_data_used,
    images_of,
    references,
)

DRAWS = 10
JOINT_DRAWS = 24
"""A standard deviation of so many draws at 340 wavelengths is known to 1 %."""


def of_table(table) -> tuple:
    return tuple(np.asarray(table[name], float) for name in ("WAVELENGTH", "FLUX", "ERROR"))


def combining() -> None:
    """Combine 2, 4 and 8 nods."""
    ways: dict[tuple[int, str], list] = {}
    used: dict[tuple[int, str], list[float]] = {}
    for seed in range(1, DRAWS + 1):
        scene = replace(HIT, seed=seed)
        dirty = extracted(images_of(scene, 8), PLAIN)
        clean = extracted(images_of(replace(scene, cosmic_rays=0), 8), PLAIN)
        with tempfile.TemporaryDirectory() as folder:
            paths = [one.write(Path(folder, f"{place}_x1d.fits")) for place, one in enumerate(dirty)]
            for number in (2, 4, 8):
                ours = combine(dirty[:number])
                ways.setdefault((number, "combine"), []).append(columns(ours))
                share = good_data_used(ours, dirty[:number], clean[:number])
                used.setdefault((number, "combine"), []).append(100 * share)
                for name, clip in (("combine_1d", None), ("  sigma_clip=3", 3.0)):
                    table = pipeline_c1d(paths[:number], sigma_clip=clip)
                    ways.setdefault((number, name), []).append(of_table(table))
                    share = table["N_INPUT"].sum() / (number * ours.flux.size)
                    used.setdefault((number, name), []).append(100 * float(share))
    print(f"Nods with 40 cosmic rays each, {DRAWS} scenes: bias in %, width of the pulls, the furthest of")
    print("them, points beyond 5 sigma per spectrum, and how much of the (good) data is used, in %.")
    print(("{:3}{:16}" + 5 * "{:>9}").format("", "", "bias", "pulls", "furthest", ">5", "used"))
    for (number, name), pairs in sorted(ways.items()):
        found, share = compare(pairs, HIT), float(np.mean(used[number, name]))
        values = (found.bias, found.pull_width, found.furthest, found.beyond / DRAWS, share)
        line = f"{number:<3}{name:16}" + "".join(f"{value:9.2f}" for value in values)
        if name == "combine":
            line += (
                f"  bias <= 0.2 {verdict(abs(found.bias), 0.2)}; pulls 0.95-1.05 "
                f"{verdict(abs(found.pull_width - 1), 0.05)}; none beyond 5 {verdict(found.beyond, 0)}; "
                f"used >= 98 {verdict(share, 98, at_least=True)}"
            )
        print(line, flush=True)


def joint(name: str, scene: Scene, number: int = 2) -> None:
    """Extract nods jointly, and one by one to combine them."""
    wavelength, bound = cramer_rao(scene, number)
    fluxes: dict[str, list] = {"joint": [], "combined": []}
    taken = []
    for seed in range(1, JOINT_DRAWS + 1):
        images = images_of(replace(scene, seed=seed), number)
        start = time.process_time()
        both = extract_jointly(images, REFINED, references(images[0]))
        taken.append(time.process_time() - start)
        fluxes["joint"].append(columns(both))
        fluxes["combined"].append(columns(combine(extracted(images, REFINED))))
    used = (wavelength > 5) & (wavelength < 13.5)
    for way, pairs in fluxes.items():
        found = compare(pairs, scene, 6.0)
        scatter = np.std([pair[1] for pair in pairs], axis=0, ddof=1) / bound[np.isfinite(wavelength)]
        ratio = float(np.sqrt(np.median(scatter[used[np.isfinite(wavelength)]] ** 2)))
        # the median of a chi-square of n - 1 degrees of freedom lies below its mean
        ratio /= np.sqrt((1 - 2 / (9 * (JOINT_DRAWS - 1))) ** 3)
        print(
            f"{name if way == 'joint' else '':28}{way:10}{found.bias:9.2f}{ratio:9.3f}{found.pull_width:9.2f}"
            f"{found.furthest:9.2f}{found.beyond / JOINT_DRAWS:9.2f}" + (
                f"  within 5 % of the bound {verdict(ratio, 1.05)}; {np.median(taken):.2f} s CPU"
                if way == "joint" else ""
            ),
            flush=True,
        )  # fmt: skip


def main() -> None:
    """Measure and print."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    combining()
    print(
        f"\nNods extracted jointly, or one by one and combined, all refinements, {JOINT_DRAWS} draws: bias in"
    )
    print("%, scatter over the Cramer-Rao bound of all pixels, pulls, the furthest, beyond 6 per spectrum.")
    noisy = Scene(noisy_variance=True)
    joint("clean", noisy)
    joint("40 cosmic rays each", replace(noisy, cosmic_rays=40))
    joint("S/N 3, 40 cosmic rays each", replace(noisy, brightness=5.5e-6, cosmic_rays=40))
    joint("four nods, 40 cosmic rays", replace(noisy, cosmic_rays=40), 4)


if __name__ == "__main__":
    main()
