"""Reference files from CRDS, found as the pipeline finds them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jdaviz_lrs.errors import LRSError
from jdaviz_lrs.references.crds_session import crds_session

__all__ = ["CRDSFiles", "crds_files", "is_configured"]

#: Either of them in the environment makes CRDS configured: https://jwst-crds.stsci.edu, "user's guide".
SETTINGS = ("CRDS_PATH", "CRDS_SERVER_URL")


@dataclass(frozen=True)
class CRDSFiles:
    """What CRDS has for an exposure.

    Attributes
    ----------
    files : Mapping of str to Path
        Kind of reference (``extract1d``, ``apcorr``, ``psf``) to the file in the cache.
    not_applicable : frozenset of str
        Kinds that the rules do not provide for the exposure (``N/A``).
    missing : Mapping of str to str
        Kinds that could not be had, and why.
    context : str
        The rules' name, e.g. ``jwst_1364.pmap``.
    """

    files: Mapping[str, Path] = field(default_factory=dict)
    not_applicable: frozenset[str] = frozenset()
    missing: Mapping[str, str] = field(default_factory=dict)
    context: str = ""


def is_configured() -> bool:
    """Whether the environment says where CRDS is: one of `SETTINGS` is set."""
    return any(os.environ.get(name) for name in SETTINGS)


def crds_files(
    header: Mapping[str, Any], kinds: Sequence[str], progress: Callable[[str], None] | None = None
) -> CRDSFiles:
    """Find reference files: those of the server's rules, or of the cache's when there is no server.

    Parameters
    ----------
    header : Mapping
        What the rules go by, from a data model's ``get_crds_parameters``.
    kinds : sequence of str
        Of ``extract1d``, ``apcorr``, ``psf``.
    progress : callable, optional
        Is told, in CRDS's words, what is being downloaded.

    Returns
    -------
    CRDSFiles

    Raises
    ------
    LRSError
        When CRDS is not installed, or neither the server nor the cache has any rules.

    Notes
    -----
    As in the pipeline (``stpipe.crds_client``): ``crds.getreferences`` with the default context, one kind at
    a time, and a PSF that the rules do not know of is one that does not apply. How long the server is waited
    for is told in `jdaviz_lrs.references.crds_session`.
    """
    try:
        import crds
    except ImportError:
        raise LRSError('crds is not installed (pip install "jdaviz-lrs[crds]")') from None
    files, missing, not_applicable = {}, {}, set()
    server = os.environ.get("CRDS_SERVER_URL") or crds.client.get_crds_server()
    with crds_session(server, progress):
        # offline and without rules in the cache, CRDS ends the program
        try:
            context = crds.get_context_name("jwst")
        except (Exception, SystemExit):
            raise LRSError(_no_rules(server, crds.config.get_crds_path())) from None
        for kind in kinds:
            query = {"parameters": header, "reftypes": [kind], "observatory": "jwst"}
            try:
                name = crds.getrecommendations(**query)[kind]
                if "N/A" in name.upper() or (kind == "psf" and "NOT FOUND" in name):
                    not_applicable.add(kind)
                elif "NOT FOUND" in name:
                    missing[kind] = f"CRDS ({context}) has no {kind} file: {_plain(name)}"
                else:
                    files[kind] = _in_cache(crds.getreferences, query, name)
            except LRSError as error:
                missing[kind] = str(error)
            except crds.CrdsDownloadError:
                missing[kind] = f"The CRDS rules {context} are not in the cache and cannot be downloaded"
            except (Exception, SystemExit) as error:
                missing[kind] = f"CRDS ({context}) failed: {_plain(error)}"
    return CRDSFiles(files, frozenset(not_applicable), missing, context)


def _in_cache(get: Callable[..., Mapping[str, str]], query: Mapping[str, Any], name: str) -> Path:
    """Return where a file is, downloaded if need be; CRDS itself tells only of some failures."""
    with suppress(Exception, SystemExit):
        (path,) = get(**query).values()
        if Path(path).is_file():
            return Path(path)
    raise LRSError(f"{name} is not in the cache and cannot be downloaded")


def _plain(message: object) -> str:
    return " ".join(str(message).split()).rstrip(".") or type(message).__name__


def _no_rules(server: str, cache: str) -> str:
    contact = "CRDS_SERVER_URL is not set" if "serverless" in server else f"{server} does not answer"
    return f"CRDS cannot be reached ({contact}) and its cache {cache} has no rules"
