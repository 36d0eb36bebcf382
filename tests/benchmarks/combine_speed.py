"""CPU time of combining eight spectra, and of a response."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np

from jdaviz_lrs import combine, response
from tests.benchmarks.timing import verdict
from tests.combine.made import spectra
from tests.stars import BOX, STAR, extracted, plain

RUNS = 40


def cpu(call: Callable[[], object]) -> tuple[float, float]:
    """Milliseconds, the least and the median: on a core that others use the least tells more."""
    call()
    taken = []
    for _ in range(RUNS):
        start = time.process_time()
        call()
        taken.append(1e3 * (time.process_time() - start))
    return min(taken), median(taken)


def main() -> None:
    """Measure and print."""
    star = extracted(STAR, BOX)
    fine = np.linspace(2, 20, 100_000)  # as many as CALSPEC's models have
    model = plain(fine, 0.05 * (fine / 10) ** -2)
    two, eight = spectra(2, hit=0.01), spectra(8, hit=0.01)
    for name, limit, call in (
        ("combine 8 spectra", 5.0, lambda: combine(eight)),
        ("combine 2 spectra", np.inf, lambda: combine(two)),
        ("response", 50.0, lambda: response(star, model)),
    ):
        least, usual = cpu(call)
        print(f"{name:20}{least:8.1f} ms, median {usual:.1f}; {limit:g} wanted {verdict(least, limit)}")


if __name__ == "__main__":
    main()
