"""What atomloom-NAME guarantees."""

from __future__ import annotations

from pathlib import Path

import atomloom
import pytest
from atomloom_NAME.reading import example


def test_reads_what_is_there(tmp_path: Path) -> None:
    """Atomloom finds the reader by the look of the file and gets every number of it."""
    dataset = atomloom.read(example(tmp_path))
    assert dataset.take([1])["Z"].tolist() == [8, 1, 1]
    assert dataset["E"].tolist() == [-31.7, -2079.1]
    assert dataset.take([0])["R"].tolist() == [[0.0, 0.0, 0.0], [0.0, 0.0, 0.74]]


def test_truncated_file_is_refused(tmp_path: Path) -> None:
    """A file that ends within a molecule is told apart from one that ends behind it."""
    source = example(tmp_path)
    source.write_text(source.read_text().rsplit("\n", 2)[0])
    with pytest.raises(atomloom.DataError, match=r"molecule 2 .* announces 3 atoms and 2 lines follow"):
        atomloom.read(source)
