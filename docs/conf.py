"""The documentation: make docs."""

from pathlib import Path

import jdaviz_lrs
from jdaviz_lrs.extraction.conventions import box_table, optimal_table
from jdaviz_lrs.parameters.listing import markdown_table

project = "jdaviz-lrs"
author = "the jdaviz-lrs developers"
copyright = "2025, the jdaviz-lrs developers"
version = release = jdaviz_lrs.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
]
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "substitution"]
suppress_warnings = [
    "myst.xref_missing"
]  # pages are parts of the README, whose links lead to its other parts
exclude_patterns = ["_build", "_made"]
nitpicky = False

numpydoc_show_class_members = False
numpydoc_xref_param_type = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
default_role = "code"

html_theme = "pydata_sphinx_theme"
html_title = "jdaviz-lrs"
html_static_path = ["_static"]
html_css_files = ["lrs.css"]
html_show_sourcelink = False
html_sidebars = {"**": []}
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "show_prev_next": False,
}

#: Tables that the code knows, written where the pages include them.
MADE = Path(__file__).parent / "_made"
MADE.mkdir(exist_ok=True)
for _name, _table in {"parameters": markdown_table, "box": box_table, "optimal": optimal_table}.items():
    (MADE / f"{_name}.md").write_text(_table() + "\n", encoding="utf-8")
