"""``python -m jdaviz_lrs.cli``."""

from jdaviz_lrs.cli.main import main

raise SystemExit(main())
