"""What is under way in an extraction, in a few words."""

from __future__ import annotations

from jdaviz_lrs.engine.refine.run import Step

__all__ = ["say_step"]


def say_step(step: Step) -> str:
    """Say what comes next in a refinement."""
    if step.what == ("companions",):
        return "Looking for further sources"
    fitted = "the shape of the PSF" if step.what == ("shape",) else " and ".join(step.what)
    return f"Fitting {fitted}{f' of {step.sources} sources' if step.sources > 1 else ''}"
