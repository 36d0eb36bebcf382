"""Verdicts made by hand: of an extraction where all is well, and of one that lies beside its source."""

import math

from jdaviz_lrs.data.verdict import Verdict

NAN = math.nan

FINE = Verdict(
    sum_ratio=(1.0021, 0.9991, 1.004),
    sum_ratio_error=(0.0012, 0.002, 0.012),
    sum_scatter=(1.0, 1.1, 0.94),
    chi_square=(1.02, 1.01, 0.99),
    lost_light=(0.0, 1e-5, 0.003),
    trace_offset=0.02,
    trace_offset_error=0.011,
    trace_ratio=0.99,
    witness_disagreement=-0.002,
    witness_followed="both",
    stand_ins=("apcorr", "psf"),
)

WRONG = Verdict(
    sum_ratio=(0.312, 0.2831, NAN),
    sum_ratio_error=(0.001, 0.002, NAN),
    sum_scatter=(1.0, 1.1, 2.94),
    chi_square=(11.02, 104.01, 0.99),
    lost_light=(0.0, 1e-5, 0.23),
    trace_offset=-6.0,
    trace_offset_error=0.011,
    trace_ratio=3.21,
    witness_disagreement=-0.022,
    witness_followed="apcorr",
    stand_ins=("extract1d", "apcorr", "psf"),
    dropped=("width", "companions"),
)
