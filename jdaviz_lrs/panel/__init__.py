"""The jdaviz panel, its loader and its viewer tools; importing this module imports no jdaviz."""

__all__ = ["add_to_specviz2d"]


def add_to_specviz2d(helper) -> None:
    """Add the panel to a `jdaviz.Specviz2d`, whose tray is a fixed list.

    The top-level app (``jdaviz.show()``) has the panel without this.

    Parameters
    ----------
    helper : jdaviz.Specviz2d
    """
    from jdaviz.core.registries import tray_registry

    from jdaviz_lrs.panel import registration

    name = registration.PANEL_NAME
    app = helper._app
    if name not in [item["name"] for item in app.state.tray_items]:
        app.state.tray_items.append(app._create_tray_item(tray_registry.members[name]))
