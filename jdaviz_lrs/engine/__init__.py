"""The science: arrays in, arrays out. No files, no units, no jdaviz."""
