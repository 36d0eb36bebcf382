"""ExtractionPlan: an image, parameters and references, and all that follows from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property

from jdaviz_lrs.data.spectrum import ExtractedSpectrum
from jdaviz_lrs.extraction.box import extract_box
from jdaviz_lrs.extraction.conventions import convention_of
from jdaviz_lrs.extraction.layout import ExtractionLayout
from jdaviz_lrs.extraction.optimal import OptimalExtraction
from jdaviz_lrs.extraction.profile import fit_and_extract
from jdaviz_lrs.references.pixels import scale_note

__all__ = ["ExtractionPlan"]


class ExtractionPlan(ExtractionLayout):
    """Where aperture, regions and traces lie, what the background is, and what the spectrum is.

    Each is computed once, when it is first asked for, and kept as long as the plan.
    """

    def extract(self, progress: Callable[[str], None] | None = None) -> ExtractedSpectrum:
        """Extract the spectrum, unless it is there already.

        Parameters
        ----------
        progress : callable, optional
            Is told, in a few words, what comes next in a refinement; what it raises ends the extraction.

        Raises
        ------
        LRSError
            When it cannot be done.
        """
        if not self.extracted:
            vars(self)["spectrum"] = self._extract(progress)
        return self.spectrum

    @cached_property
    def fit(self) -> OptimalExtraction:
        """What an optimal extraction was made with."""
        _ = self.spectrum
        return vars(self)["fit"]

    @property
    def extracted(self) -> bool:
        """Whether the spectrum is there already."""
        return "spectrum" in vars(self)

    @cached_property
    def spectrum(self) -> ExtractedSpectrum:
        """What is extracted."""
        return self._extract()

    def _extract(self, progress: Callable[[str], None] | None = None) -> ExtractedSpectrum:
        references = self.references
        if self.optimal:
            spectrum, vars(self)["fit"] = fit_and_extract(self, progress)
            kinds = set(spectrum.references)
        elif self.parameters.extraction_type == "optimal":  # for which, CRDS says, there is no PSF
            as_box = replace(self, parameters=replace(self.parameters, extraction_type="box"))
            spectrum = extract_box(as_box)
            kinds = {*spectrum.references, "psf"}
        else:
            spectrum = extract_box(self)
            kinds = set(spectrum.references)
        context = {} if references.context is None else {"context": references.context}
        scaled = convention_of(self.parameters).scaled_to_pixels and kinds & {"apcorr", "psf"}
        path = self.image.path
        listed = (one for one in self.parameters.bad_pixels if isinstance(one, str))
        return replace(
            spectrum,
            references={**spectrum.references, **context},
            inputs=(*([] if path is None else [path]), *references.paths, *listed),
            notes=(*spectrum.notes, *(scale_note(self.image) if scaled else ()), *references.notes_on(kinds)),
        )
