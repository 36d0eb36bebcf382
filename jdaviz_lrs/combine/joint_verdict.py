"""One verdict of several: those of the spectra that are combined, or of the images extracted jointly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jdaviz_lrs.data.verdict import Verdict

__all__ = ["joint_verdict"]


def joint_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """Make one verdict of several.

    Parameters
    ----------
    verdicts : sequence of Verdict

    Returns
    -------
    Verdict
        What has an error is averaged by it, what has none evenly; of the traces the one that is furthest off
        in units of its error.
    """
    first = verdicts[0]
    ratio, ratio_error = _weighted([(one.sum_ratio, one.sum_ratio_error) for one in verdicts])
    left, left_error = _weighted([(one.sky_left, one.sky_left_error) for one in verdicts])
    furthest = max(verdicts, key=_distance)
    return replace(
        first,
        sum_ratio=ratio,
        sum_ratio_error=ratio_error,
        sum_scatter=_mean([one.sum_scatter for one in verdicts]),
        chi_square=_mean([one.chi_square for one in verdicts]),
        lost_light=_mean([one.lost_light for one in verdicts]),
        sky_left=left,
        sky_left_error=left_error,
        trace_offset=furthest.trace_offset,
        trace_offset_error=furthest.trace_offset_error,
        trace_ratio=furthest.trace_ratio,
        witness_followed=first.witness_followed
        if len({one.witness_followed for one in verdicts}) == 1
        else "",
        stand_ins=tuple(dict.fromkeys(name for one in verdicts for name in one.stand_ins)),
        witness_disagreement=max((one.witness_disagreement for one in verdicts), key=abs),
        dropped=tuple(dict.fromkeys(name for one in verdicts for name in one.dropped)),
    )


def _distance(verdict: Verdict) -> float:
    return abs(verdict.trace_offset) if np.isfinite(verdict.trace_offset) else -1.0


def _mean(values: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    table = np.array(values, float)
    known = np.isfinite(table)
    count = known.sum(axis=0)
    total = np.where(known, table, 0.0).sum(axis=0)
    return tuple(np.where(count > 0, total / np.maximum(count, 1), np.nan).tolist())


def _weighted(pairs: Sequence[tuple[tuple[float, ...], tuple[float, ...]]]) -> tuple[tuple, tuple]:
    values, errors = (np.array([one[k] for one in pairs], float) for k in (0, 1))
    known = np.isfinite(values) & (errors > 0)
    weights = np.where(known, 1.0 / np.where(known, errors, 1.0) ** 2, 0.0)
    total = weights.sum(axis=0)
    some = total > 0
    safe = np.where(some, total, 1.0)
    mean = np.where(some, (weights * np.where(known, values, 0.0)).sum(axis=0) / safe, np.nan)
    return tuple(mean.tolist()), tuple(np.where(some, safe**-0.5, np.nan).tolist())
