"""What jdaviz needs to know about us; imported once, by glue, while the first app is being made."""

from jdaviz_lrs.panel.loaders.image import LRSImporter
from jdaviz_lrs.panel.loaders.series import SeriesImporter
from jdaviz_lrs.panel.loaders.x1d import X1DImporter
from jdaviz_lrs.panel.plugin import LRSExtraction
from jdaviz_lrs.panel.viewer.tools import RegionTool

__all__ = ["PANEL_NAME", "LRSExtraction", "LRSImporter", "RegionTool", "SeriesImporter", "X1DImporter"]

PANEL_NAME = LRSExtraction._registry_name
