"""The panel of jdaviz."""
