"""The guide through the demonstration: a fault of which the truth is known, and three steps to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import solara
import solara.lab
from numpy.typing import NDArray

__all__ = ["FAULT", "STYLE", "Guide", "Standing"]

FAULT = 2.0
"""Pixels that the aperture begins beside the trace."""

SHOWN = (5.0, 13.5)
"""Micron: where extracted and true flux are compared."""

NEAR = 0.1
"""Pixels from the trace at which the fault is mended."""

PAUSE = 0.3
"""Seconds between two looks at the panel."""

HEIGHT = 92
"""Pixels that the guide takes from the app."""


@dataclass(frozen=True)
class Standing:
    """How far a user has come.

    Attributes
    ----------
    ratio : float
        Median of extracted over true flux; NaN without a spectrum.
    offset : float
        Pixels from the aperture to the trace, as the verdict has it.
    extracted : bool
        Whether the spectrum that is seen now was extracted.
    """

    ratio: float = np.nan
    offset: float = np.nan
    extracted: bool = False

    @property
    def step(self) -> int:
        """The step that is next: 1 to 3, and 4 at the end."""
        if np.isnan(self.ratio):
            return 1
        if not abs(self.offset) < NEAR:
            return 2
        return 4 if self.extracted else 3

    @classmethod
    def of(cls, panel: Any, wavelength: NDArray[np.float64], flux: NDArray[np.float64]) -> Standing:
        """Compare what the panel shows with the truth: `wavelength` (n,) rising, `flux` (n,) in Jy."""
        spectrum = panel.state.spectrum
        if spectrum is None or spectrum.flux.ndim > 1:
            return cls()
        inside = (spectrum.wavelength >= SHOWN[0]) & (spectrum.wavelength <= SHOWN[1])
        ratio = spectrum.flux[inside] / np.interp(spectrum.wavelength[inside], wavelength, flux)
        offset = np.nan if spectrum.verdict is None else spectrum.verdict.trace_offset
        last = panel.state.records[-1] if panel.state.records else None
        kept = last is not None and last.parameters == panel.state.parameters
        return cls(float(np.nanmedian(ratio)), float(offset), kept)


@solara.component
def Guide(  # noqa: N802 - a component
    app: Any, wavelength: NDArray[np.float64], flux: NDArray[np.float64]
) -> None:
    """Three steps in a line above the app, and what the flux is against the truth."""
    lrs = app.plugins["LRS Extraction"]
    standing, set_standing = solara.use_state(Standing())

    async def follow() -> None:
        while lrs._obj.comm is not None:  # until the page is left, when solara forgets to end this
            set_standing(Standing.of(lrs._obj, wavelength, flux))
            await asyncio.sleep(PAUSE)

    solara.lab.use_task(follow, dependencies=[])
    with solara.Row(classes=["lrs-guide"], gap="16px"):
        _step(
            1,
            "See the fault",
            f"The aperture (orange) begins {FAULT:g} px beside the trace: Verdict tells where the trace is, "
            "Compare what the flux is against the truth.",
            standing,
        )
        _step(
            2,
            "Mend it",
            "Drag the aperture on the image by its middle to the trace, or set its offset to 0.",
            standing,
            "Set the offset to 0",
            lambda: setattr(lrs, "position_offset", 0.0),
        )
        _step(
            3,
            "Keep it",
            "Extract. Save writes the spectrum, and the pipeline's call that gives the same.",
            standing,
            "Extract",
            lrs.extract,
        )
        with solara.Div(classes=["lrs-standing"]):
            solara.Text("Extracted / true flux", classes=["lrs-step-title"])
            solara.Text(_number(standing.ratio, ".3f"), classes=["lrs-ratio"])
            solara.Text(f"aperture {_number(standing.offset, '.2f')} px off", classes=["lrs-step-words"])


def _number(value: float, form: str) -> str:
    return "..." if np.isnan(value) else format(abs(value), form)


def _step(
    number: int,
    title: str,
    words: str,
    standing: Standing,
    button: str = "",
    act: Callable[[], Any] | None = None,
) -> None:
    done, now = standing.step > number, standing.step == number
    classes = ["lrs-step"] + ["lrs-step-now"] * now
    with solara.Div(classes=classes):
        solara.Text(f"{'✓' if done else number}  {title}", classes=["lrs-step-title"])
        solara.Text(words, classes=["lrs-step-words"])
        if act is not None:
            solara.Button(button, on_click=lambda: act(), small=True, color="primary" if now else None)


STYLE = f"""
.v-content.jdaviz__content--not-in-notebook {{
  height: calc(100vh - {HEIGHT}px); max-height: calc(100vh - {HEIGHT}px);
}}
.lrs-guide {{ height: {HEIGHT}px; padding: 6px 12px; overflow: hidden; background: #f5f5f5; color: #202020; }}
.lrs-step {{ flex: 1; min-width: 0; padding: 4px 10px; border-left: 4px solid #bdbdbd; font-size: 13px; }}
.lrs-step-now {{ border-left-color: #e69f00; background: white; }}
.lrs-step-title {{ font-weight: 600; display: block; }}
.lrs-step-words {{ margin-right: 8px; }}
.lrs-standing {{ width: 150px; padding: 4px 0; font-size: 13px; color: #202020; }}
.lrs-ratio {{ font-size: 24px; line-height: 28px; display: block; }}
"""
