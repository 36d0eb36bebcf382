"""Run all benchmarks, or those whose names are given: ``python tests/benchmarks/run.py box_speed``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
HELPERS = ("run", "scenes", "soak", "sweep", "timing")


def main(names: list[str]) -> int:
    """Each benchmark runs in a process of its own, so that none warms the caches of another."""
    found = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in HELPERS)
    if unknown := sorted(set(names) - set(found)):
        print(f"no benchmark {', '.join(unknown)}; there are {', '.join(found)}", file=sys.stderr)
        return 2
    # One thread: the libraries' own threads make the times of small arrays jump about.
    single = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL")}
    failed = 0
    for name in names or found:
        print(f"\n=== {name}", flush=True)
        command = [sys.executable, "-m", f"tests.benchmarks.{name}"]
        failed |= subprocess.run(command, cwd=HERE.parents[1], env=os.environ | single).returncode
    return failed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
