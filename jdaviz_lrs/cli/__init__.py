"""The command ``jdaviz-lrs``, one file a command.

Every mistake a user can make ends in one sentence on standard error and exit code 2. What is slow to import
is imported by the command that needs it, so that ``--help`` answers at once.
"""

from jdaviz_lrs.cli.main import main, parser

__all__ = ["main", "parser"]
