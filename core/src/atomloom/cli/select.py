"""``atomloom select``: which frames of a pool an ensemble should learn next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from atomloom.cli.data_options import DataOptions, data_options, level_option, read_data, runs_option, watched
from atomloom.cli.output import echo_json, json_option, note, table


@click.command()
@click.argument("run_name", metavar="RUN")
@runs_option
@click.option("--data", "paths", multiple=True, required=True, metavar="PATH", help="The pool; repeatable.")
@level_option
@click.option("--count", type=click.IntRange(min=1), default=100, show_default=True, help="How many frames to choose.")
@click.option("--out", required=True, metavar="FILE", help="Where the chosen frames go.")
@click.option("--to", "writer", default="", metavar="WRITER", help="Writer to use; else the name of FILE tells.")
@click.option("--overwrite", is_flag=True, help="Replace FILE if it exists.")
@click.option("--by", metavar="FIELD", help="Whose uncertainty decides; by default the forces', if predicted.")
@click.option(
    "--apart",
    type=click.FloatRange(min=0),
    default=0.1,
    show_default=True,
    metavar="FLOAT",
    help="Pass over frames whose distances are those of a chosen one within this, in angstrom; 0 for none.",
)
@data_options
@json_option
def select(
    run_name: str,
    root: str,
    paths: tuple[str, ...],
    level: str | None,
    count: int,
    out: str,
    writer: str,
    overwrite: bool,
    by: str | None,
    apart: float,
    json_output: bool,
    **options: Any,
) -> None:
    """Choose the frames to label next, those that the ensemble RUN is least sure of, and write them.

    Frames are taken from the largest calibrated uncertainty down; that of a frame is the largest of its atoms. One is
    passed over that is a near duplicate of one taken before: of the same elements in the same state, with the same
    sorted distances between them within --apart.
    """
    from atomloom.data.levels import at_level
    from atomloom.ensemble import Ensemble
    from atomloom.ensemble import select as selected
    from atomloom.errors import RunError
    from atomloom.runs import Run, ensembles
    from atomloom.runs.history import find
    from atomloom.writers import check_target, write

    check_target(out, writer=writer, overwrite=overwrite)
    run = Run.open(find(run_name, Path(root)).path)
    if not ensembles.size(run.files):
        todo = "Fit one with --ensemble 4; the spread of its members says what it is not sure of"
        raise RunError(f"choose frames by the uncertainty of '{run.name}'", "it is no ensemble", todo)
    with watched():
        pool = read_data(paths, DataOptions(**options)).dataset
        ensemble = Ensemble.load(run)
        found = selected(ensemble, at_level(pool, level) if level else pool, count, by=by, apart=apart)
        write(found.dataset.with_meta(run=run.name), out, writer=writer, overwrite=overwrite)
    score = f"{found.by}_std" + (f" ({found.unit})" if found.unit else "")
    rows = list(zip(found.frames.tolist(), found.scores.tolist(), strict=True))
    if json_output:
        frames = [{"pool_frame": frame, "score": value} for frame, value in rows]
        echo_json({"by": found.by, "unit": found.unit, "skipped": found.skipped, "frames": frames, "file": out})
        return
    table(("frame", score), rows)
    if found.by not in ensemble.calibration.scales:
        note(f"The uncertainty of {found.by} is not calibrated: the validation part has no reference for it.")
    several = "duplicates were" if found.skipped > 1 else "duplicate was"
    passed = f"; {found.skipped} near {several} passed over" if found.skipped else ""
    note(f"{len(rows)} of {len(pool)} frames are in '{out}'{passed}.")
