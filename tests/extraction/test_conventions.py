from dataclasses import asdict, fields
from pathlib import Path

import pytest

from jdaviz_lrs import ExtractionParameters
from jdaviz_lrs.extraction.conventions import (
    OURS,
    PIPELINE,
    Convention,
    box_table,
    convention_of,
    optimal_table,
)

README = Path(__file__).parents[2] / "README.md"


@pytest.mark.parametrize("table", [box_table, optimal_table])
def test_the_tables_of_the_readme_are_made_from_it(table):
    section = README.read_text(encoding="utf-8").split("## Where it differs from the pipeline")[1]
    assert f"\n\n{table()}\n\n" in section


def test_every_difference_has_a_name_a_reason_and_a_row():
    assert all(asdict(OURS).values())
    assert not any(asdict(PIPELINE).values())
    for one in fields(Convention):
        assert f"    {one.name}\n        " in Convention.__doc__
        assert one.metadata["rows"]
        assert all(row.pipeline and row.here and row.pipeline != row.here for row in one.metadata["rows"])


def test_a_parameter_chooses():
    assert convention_of(ExtractionParameters()) is OURS
    assert convention_of(ExtractionParameters(pipeline_compatible=True)) is PIPELINE


def test_nothing_else_asks_for_the_parameter():
    package = README.parent / "jdaviz_lrs"
    asking = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if "parameters.pipeline_compatible" in path.read_text(encoding="utf-8")
    ]
    assert asking == ["extraction/conventions.py"]
