"""Background regions as the panel edits them: lists of edges as in ``bkg_coeff``."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["free_region"]

Edges = list[list[float]]

#: Pixels left free between the aperture and a new region, and the new region's usual width.
GAP, WIDTH = 3.0, 6.0


def free_region(taken: Sequence[tuple[float, float]], first: float, last: float) -> Edges:
    """Find a place for another region on the widest free stretch.

    Parameters
    ----------
    taken : sequence of (float, float)
        Lower and upper bounds of what is there already, the aperture first.
    first, last : float
        The edges of the image.

    Returns
    -------
    list
        Lower and upper edge, each as a polynomial of order zero, on whole pixels.
    """
    stops = sorted([*taken, (first, first), (last, last)])
    stretches, reach = [], first
    for lower, upper in stops:
        stretches.append((lower - reach, reach, lower))
        reach = max(reach, upper)
    room, lower, upper = max(stretches)
    width = min(WIDTH, max(room - 2 * GAP, 1.0))
    beside_aperture = lower == taken[0][1]
    start = lower + GAP if beside_aperture else upper - GAP - width
    start = min(max(round(start + 0.5) - 0.5, lower), upper - width)
    return [[start], [start + round(width)]]
