"""The call of the pipeline's step that gives our spectrum, in Python and on the command line."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["STEP_DEFAULTS", "StepCall", "step_defaults"]

#: What the step of jwst 3.0.0 takes where it is not told: its arguments that are parameters of ours.
STEP_DEFAULTS = {
    "subtract_background": None,
    "apply_apcorr": True,
    "extraction_type": "box",
    "use_source_posn": None,
    "position_offset": 0.0,
    "model_nod_pair": True,
    "optimize_psf_location": True,
    "smoothing_length": None,
    "bkg_fit": None,
    "bkg_order": None,
    "save_profile": False,
    "save_scene_model": False,
    "save_residual_image": False,
}


@cache
def step_defaults() -> dict[str, Any]:
    """Return the defaults of the installed pipeline's step; without one, `STEP_DEFAULTS`.

    They are read from its source, as to import jwst takes seconds.
    """
    package = find_spec("jwst")
    if package is None or package.origin is None:
        return STEP_DEFAULTS
    source = Path(package.origin).parent / "extract_1d" / "extract_1d_step.py"
    try:
        spec = dict(_ARGUMENT.findall(source.read_text(encoding="utf-8")))
        return {
            name: ast.literal_eval(spec[name]) if name in spec else default
            for name, default in STEP_DEFAULTS.items()
        }
    except (OSError, ValueError, SyntaxError):
        return STEP_DEFAULTS


#: A line of ``Extract1dStep.spec``, as ``bkg_order = integer(default=None, min=0)``.
_ARGUMENT = re.compile(r"""^ *(\w+) *= *\w+\(.*?\bdefault *= *("[^"\n]*"|'[^'\n]*'|[\w.+-]+)""", re.MULTILINE)


@dataclass(frozen=True)
class StepCall:
    """A run of the pipeline's step, ready to be pasted.

    Attributes
    ----------
    file : str
        The 2-D spectrum.
    arguments : Mapping of str to str, number or boolean
        Of the step, reference files (``override_...``) included.
    """

    file: str
    arguments: Mapping[str, Any]

    @property
    def python(self) -> str:
        """An import and the call, each on a line."""
        arguments = "".join(f", {name}={value!r}" for name, value in self.arguments.items())
        call = f"Extract1dStep.call({self.file!r}{arguments})"
        return f"from jwst.extract_1d import Extract1dStep\nresult = {call}"

    @property
    def strun(self) -> str:
        """The command for a POSIX shell; a comment that says why, where a name cannot go into one."""
        arguments = {name: _for_strun(str(value)) for name, value in self.arguments.items()}
        for name, text in {"input": self.file, **arguments}.items():
            if text is None or not text.isprintable():  # a terminal may act on what it cannot print
                return f"# No command: the {name} file has a name that it cannot hold; rename it."
        return shlex.join(
            ["strun", "extract_1d", self.file, *(f"--{name}={text}" for name, text in arguments.items())]
        )


def _for_strun(text: str) -> str | None:
    """Quote what strun, which reads a value like one in a configuration file, takes for a list or a comment.

    None where its language has no way to spell the text.
    """
    if not set(text) & set(",#") and text == text.strip() and text[:1] not in "'\"":
        return text
    if {'"', "'"} <= set(text):
        return None
    mark = "'" if '"' in text else '"'
    return f"{mark}{text}{mark}"
