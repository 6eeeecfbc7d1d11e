"""Force errors by residue as files: text, tables, plots."""

from __future__ import annotations

import csv
import logging
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory
from typing import Any

from atomloom.errors import ConfigError
from atomloom.report import Report, Section, renderers, save, to_text
from atomloom.runs import atomic_file, atomic_path, strictjson
from atomloom_residues.residue_errors import Judgement, plain
from atomloom_residues.residue_report import along, amino_acids, report_of

log = logging.getLogger(__name__)

_WIDTH = 200


def plot_per_residue_rmse(results: Mapping[str, Any], output_path: str | Path) -> tuple[Path, ...]:
    """Plots of what `compute_per_residue_errors` gave, as PNG and SVG.

    The sorted bars by amino acid go to `output_path`, and the line along each chain to names that end in ``_chain1``
    and so on. atomloom-report draws them.

    Args:
        results: see `compute_per_residue_errors`.
        output_path: ending in ``.png``; the SVG goes beside it.
    """
    judgement, target = results["judgement"], Path(output_path).with_suffix("")
    figures = (amino_acids(judgement), *along(judgement))
    names = [target.name, *(f"{target.name}_chain{number}" for number in range(1, len(figures)))]
    written = []
    with TemporaryDirectory() as folder:
        save(Report("Force errors by residue", (Section("", figures),)), folder)
        drawn = sorted(Path(folder, "plots").glob("*.png"))
        if not drawn:
            raise ConfigError("plot force errors", "nothing that draws is installed", "Install atomloom-report")
        for picture, name in zip(drawn, names, strict=True):
            for suffix in (".png", ".svg"):
                path = target.with_name(name + suffix)
                with atomic_path(path) as temporary:
                    copyfile(picture.with_suffix(suffix), temporary)
                written.append(path)
    return tuple(written)


def write_files(results: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """What `write_tables` writes, and the report with its page where atomloom-report is installed."""
    written = write_tables(results, folder)
    return (*written, *save(report_of(results["judgement"], results["model_id"]), folder))


def write_tables(results: Mapping[str, Any], folder: Path) -> tuple[Path, ...]:
    """``MODEL_per_residue_rmse`` as TXT, CSV, JSON, Parquet where pyarrow is installed, and plots where atomloom-report
    is.
    """  # fmt: skip
    judgement, model_id = results["judgement"], results["model_id"]
    folder.mkdir(parents=True, exist_ok=True)
    report = report_of(judgement, model_id)
    stem = folder / f"{model_id}_per_residue_rmse"
    with atomic_file(stem.with_name(stem.name + ".txt"), "w") as file:
        file.write(to_text(report, _WIDTH))
    with atomic_file(stem.with_name(stem.name + ".json"), "w") as file:
        file.write(strictjson.dumps(plain(judgement), indent=2) + "\n")
    _csv(judgement, stem.with_name(stem.name + ".csv"))
    written = [stem.with_name(stem.name + suffix) for suffix in (".txt", ".json", ".csv")]
    if find_spec("pyarrow"):
        written.append(_parquet(judgement, stem.with_name(stem.name + ".parquet")))
    else:
        log.warning(
            "There is no Parquet file, since pyarrow is not installed: pip install 'atomloom-residues[parquet]'"
        )
    if any(found.spec.name == "plots" for found in renderers.installed()):
        written += plot_per_residue_rmse(results, stem.with_name(stem.name + ".png"))
    return tuple(written)


def _csv(judgement: Judgement, path: Path) -> None:
    rows = [row.flat() for row in judgement.rows]
    with atomic_path(path) as temporary, open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _parquet(judgement: Judgement, path: Path) -> Path:
    import pyarrow
    from pyarrow import parquet

    with atomic_path(path) as temporary:
        parquet.write_table(pyarrow.Table.from_pylist([row.flat() for row in judgement.rows]), temporary)
    return path
