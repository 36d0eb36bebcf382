"""What jdaviz needs to know about us; imported once, by glue, while the first app is being made."""

from jdaviz_lrs.panel.loader import LRSImporter
from jdaviz_lrs.panel.lrs_extraction import LRSExtraction
from jdaviz_lrs.panel.tools import RegionTool
from jdaviz_lrs.panel.x1d_loader import X1DImporter

__all__ = ["PANEL_NAME", "LRSExtraction", "LRSImporter", "RegionTool", "X1DImporter"]

PANEL_NAME = LRSExtraction._registry_name
