"""The sections of the panel: by name, where they stand, and which need files."""

from __future__ import annotations

from jdaviz_lrs.panel.sections.calibrate.section import CalibrateSection
from jdaviz_lrs.panel.sections.combine.section import CombineSection
from jdaviz_lrs.panel.sections.compare.section import CompareSection
from jdaviz_lrs.panel.sections.figure.section import FigureSection
from jdaviz_lrs.panel.sections.history.section import HistorySection
from jdaviz_lrs.panel.sections.light_curves.section import LightCurvesSection
from jdaviz_lrs.panel.sections.profile.section import ProfileSection
from jdaviz_lrs.panel.sections.saving.section import SavingSection
from jdaviz_lrs.panel.sections.section import Section
from jdaviz_lrs.panel.sections.series.section import SeriesSection
from jdaviz_lrs.panel.sections.session.section import SessionSection
from jdaviz_lrs.panel.sections.verdict.section import VerdictSection
from jdaviz_lrs.panel.sections.verify.section import VerifySection
from jdaviz_lrs.panel.sections.width.section import WidthSection

__all__ = ["FILES", "PLACES", "SECTIONS"]

#: Where they stand in the panel's template: trait to the sections that it lists.
PLACES = {
    "inspect_widgets": ("series", "light_curves", "profile", "width", "compare", "verify"),
    "save_widgets": ("history", "combine", "calibrate", "saving", "figure", "session"),
}

SECTIONS: dict[str, type[Section]] = {
    "series": SeriesSection,
    "light_curves": LightCurvesSection,
    "profile": ProfileSection,
    "width": WidthSection,
    "verdict": VerdictSection,
    "compare": CompareSection,
    "verify": VerifySection,
    "history": HistorySection,
    "combine": CombineSection,
    "calibrate": CalibrateSection,
    "saving": SavingSection,
    "figure": FigureSection,
    "session": SessionSection,
}

#: What reads and writes files alone: none of the user's where the server is elsewhere.
FILES = {"figure", "session"}
