"""A notebook as a user writes it, opened and run in JupyterLab."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.browser.servers import Server


def write_notebook(path: Path, *cells: str) -> None:
    """Write a notebook of code cells."""
    content = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{i}",
                "source": source,
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for i, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(content))


def run_notebook(page: Page, server: Server, name: str) -> None:
    """Open a notebook of the server's folder and run all its cells."""
    page.goto(f"{server.url}/lab/tree/{name}")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("| Idle").wait_for()  # or JupyterLab asks which kernel to start
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def warnings(page: Page) -> Locator:
    """Return what the cells printed to the error stream."""
    return page.locator(".jp-OutputArea-output[data-mime-type*='stderr']")
