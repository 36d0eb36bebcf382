import pytest
from glue.core.hub import HubListener
from jdaviz.core.events import SnackbarMessage

from jdaviz_lrs import LRSError
from jdaviz_lrs.panel import data_source
from jdaviz_lrs.panel.progress import progress


@pytest.fixture
def told(app):
    messages, ear = [], HubListener()
    app._app.hub.subscribe(ear, SnackbarMessage, handler=messages.append)
    yield messages
    app._app.hub.unsubscribe_all(ear)


def test_downloads_are_told_while_a_dataset_is_loaded(app, s2d, told, monkeypatch):
    find, asked = data_source.find_references, []

    def slowly(image, *overrides, progress):
        asked.append(image)
        progress("Fetching jwst_miri_apcorr_0015.fits")
        return find(image, *overrides)

    monkeypatch.setattr(data_source, "find_references", slowly)
    app.load(str(s2d))
    ours = [(one.text, one.loading) for one in told if one.sender is app.plugins["LRS Extraction"]._obj]
    assert ours[:2] == [
        ("Fetching jwst_miri_apcorr_0015.fits", True),
        ("The reference files are there.", False),
    ]
    assert len(asked) == 1  # the loader's extraction takes what the panel found


def test_an_error_ends_the_message_too(app, told):
    panel = app._app.get_tray_item_from_name("lrs-extraction")

    def work():
        with progress(panel, "done") as tell:
            tell("at it")
            raise LRSError("no")

    with pytest.raises(LRSError, match="no"):
        work()
    assert [(one.text, one.loading) for one in told][-2:] == [
        ("at it", True),
        ("Stopped by an error.", False),
    ]


def test_what_is_quick_says_nothing(app, told):
    with progress(app._app.get_tray_item_from_name("lrs-extraction"), "done"):
        pass
    assert told == []
