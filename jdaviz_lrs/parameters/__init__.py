"""Every parameter of an extraction, declared once."""

from jdaviz_lrs.parameters.checks import BOX_REFINEMENTS, REFINEMENTS, Coefficients
from jdaviz_lrs.parameters.declaration import Declaration
from jdaviz_lrs.parameters.extraction import ExtractionParameters

__all__ = [
    "APERTURE_NAMES", "BOX_REFINEMENTS", "REFINEMENTS", "STEP_NAMES",
    "Coefficients", "Declaration", "ExtractionParameters",
]  # fmt: skip


def _of(source: str) -> tuple[str, ...]:
    declarations = ExtractionParameters.declarations().items()
    return tuple(name for name, declaration in declarations if source in declaration.source)


#: Parameters of an aperture in the extract1d reference file.
APERTURE_NAMES = _of("file")

#: Parameters of the pipeline's step, which win over the reference file.
STEP_NAMES = _of("step")
