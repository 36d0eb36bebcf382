"""Where the documentation is: its site, or, while that has no address, the repository at this version."""

from __future__ import annotations

import re
from importlib.metadata import metadata, version

__all__ = ["PAGES", "page"]

#: The site's pages, and what in the repository has the same to say.
PAGES = {
    "tour": "docs/tour.md",
    "parameters": "README.md#parameters",
    "howto": "docs/howto.md",
    "examples": "notebooks/from_pipeline_to_panel.md",
    "trusted": "README.md#what-can-be-trusted-and-when",
}


def page(name: str) -> str:
    """Return the address of a page of the documentation.

    Parameters
    ----------
    name : str
        One of `PAGES`.
    """
    urls = (one.partition(", ") for one in metadata("jdaviz-lrs").get_all("Project-URL"))
    address = {label: url for label, _, url in urls}["Documentation"]
    if repository := re.match(r"https://github\.com/[^/#]+/[^/#]+", address):
        return f"{repository[0]}/blob/v{version('jdaviz-lrs')}/{PAGES[name]}"
    return f"{address.rstrip('/')}/{name}.html"
