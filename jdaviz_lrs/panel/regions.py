"""Where there is room for another background region."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["free_region"]

#: Pixels left free between the aperture and a new region, and the new region's usual width.
GAP, WIDTH = 3.0, 6.0


def free_region(taken: Sequence[tuple[float, float]], first: float, last: float) -> tuple[float, float]:
    """Find a place for another region on the widest free stretch.

    Parameters
    ----------
    taken : sequence of (float, float)
        Lower and upper bounds of what is there already, the aperture first.
    first, last : float
        The edges of the image.

    Returns
    -------
    tuple of float
        Lower and upper edge, on borders of pixels.
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
    return start, start + round(width)
