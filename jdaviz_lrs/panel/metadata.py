"""jdaviz's Metadata panel leaves out what panels made; a spectrum of ours tells there how it was made."""

from __future__ import annotations

__all__ = ["list_in_metadata_panel"]

METADATA = "g-metadata-viewer"


def list_in_metadata_panel(app, plugin_name: str) -> None:
    """Let the Metadata panel of an app list the results of a panel too."""
    if METADATA not in [item["name"] for item in app.state.tray_items]:
        return
    dataset = app.get_tray_item_from_name(METADATA).dataset

    def not_from_other_panels(data) -> bool:
        return data.meta.get("plugin") in (None, plugin_name)

    if "not_from_plugin" in dataset.filters:
        dataset.filters = [f for f in dataset.filters if f != "not_from_plugin"] + [not_from_other_panels]
