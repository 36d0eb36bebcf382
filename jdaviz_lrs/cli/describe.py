"""What the command says of an extraction, or of what was combined."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jdaviz_lrs.data.verdict import Verdict
from jdaviz_lrs.extraction.verdict_words import Row, band_words, rows_of

if TYPE_CHECKING:
    from jdaviz_lrs.data.combined import CombinedSpectrum
    from jdaviz_lrs.data.series import ExtractedSeries
    from jdaviz_lrs.data.spectrum import ExtractedSpectrum

__all__ = ["describe", "describe_combined"]


def describe(spectrum: ExtractedSpectrum | ExtractedSeries) -> list[str]:
    """Say what an extraction used, a line each: type, aperture, references, verdict, notes, advice."""
    kind = spectrum.parameters.get("extraction_type", "box")
    lines = [f"extracted  {kind}, {spectrum.wavelength.size} wavelengths"]
    if spectrum.flux.ndim == 2:
        lines[0] += f", {len(spectrum.flux)} integrations"
    if (limits := getattr(spectrum, "mean", spectrum).limits) is not None:
        width = limits.xdisp_stop - limits.xdisp_start + 1
        lines.append(
            f"aperture   {limits.xdisp_start:.2f} to {limits.xdisp_stop:.2f} px ({width:.2f} px wide)"
        )
    lines += [f"{name:<10} {file}" for name, file in spectrum.references.items()]
    if spectrum.verdict is not None:
        told = _verdict_lines(spectrum.verdict)
        lines += [f"{'' if number else 'verdict':<10} {line}" for number, line in enumerate(told)]
    lines += [f"note       {note}" for note in spectrum.notes]
    return lines + [f"advice     {one.sentence} ({one.refinement})" for one in spectrum.advice]


def _verdict_lines(verdict: Verdict) -> list[str]:
    """Return what can be told, two rows of its table to a line; the first says which bands there are."""
    rows = rows_of(verdict)
    lines = ["; ".join(_in_line(row) for row in rows[n : n + 2] if row.cells) for n in range(0, len(rows), 2)]
    lines = [line for line in lines if line]
    if any(len(row.cells) == len(verdict.bands) for row in rows):
        lines[0] += f" ({', '.join(band_words(verdict))} um)"
    return lines


def _in_line(row: Row) -> str:
    numbers = (f"{cell.value} +- {cell.error}" if cell.error else cell.value for cell in row.cells)
    return f"{row.label} {', '.join(numbers)} {row.unit}".rstrip()


def describe_combined(spectrum: CombinedSpectrum) -> list[str]:
    """Say what was combined, a line each: the inputs, how far they agree, scales, notes."""
    report, number = spectrum.report, len(spectrum.input_names)
    lines = [f"combined   {number} spectra, {spectrum.wavelength.size} wavelengths"]
    for place, name in enumerate(spectrum.input_names):
        scale = f", times {spectrum.scales[place]:.4f}" if "scales" in report else ""
        lines.append(
            f"input      {name}: used at {report['inputs_used'][place]} wavelengths, left out at "
            f"{report['inputs_left_out'][place]}{scale}"
        )
    lines.append(f"agreement  chi square {report['chi_square']:.2f} per degree of freedom")
    return lines + [f"note       {note}" for note in spectrum.notes]
