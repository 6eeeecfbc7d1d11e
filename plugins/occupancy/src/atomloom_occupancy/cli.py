"""``atomloom occupancy``: occupancies refined and checked."""

from __future__ import annotations

from pathlib import Path

import click

from atomloom.cli.data_options import watched
from atomloom.cli.output import json_option, note, table


@click.group()
def occupancy() -> None:
    """Crystallographic occupancies: refine them against data, check those of a model."""


@occupancy.command()
@click.argument("model")
@click.argument("data")
@click.option("--out", required=True, metavar="FOLDER", help="Where models, maps, table and report go.")
@click.option("--groups", metavar="FILE", help="States in TOML, REFMAC, Servalcat or phenix; else found in MODEL.")
@click.option("--contacts", is_flag=True, help="Without --groups: join states that are in contact.")
@click.option("--target", type=click.Choice(["ml", "ls"]), default="ml", show_default=True, help="What is minimised.")
@click.option("--restrain", multiple=True, metavar="W", help="Add W (q - q of MODEL)^2; or of one state: NAME=Q:W.")
@click.option("--group-b", type=click.Choice(["iso", "aniso"]), help="Refine one B, or U, for each state as well.")
@click.option("--evidence", is_flag=True, help="Compare joint with separate states, partial waters with full ones.")
@click.option("--twinned", is_flag=True, help="Go on though DATA look twinned.")
@click.option("--labels", default="", metavar="F,SIGF", help="Columns of DATA; else its first observations.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of free flags, where DATA has none.")
@click.option("--occupancy-aware-mask", is_flag=True, help="Let solvent in where atoms are partly there.")
@json_option
def refine(
    model: str,
    data: str,
    out: str,
    groups: str | None,
    contacts: bool,
    target: str,
    restrain: tuple[str, ...],
    group_b: str | None,
    evidence: bool,
    twinned: bool,
    labels: str,
    seed: int,
    occupancy_aware_mask: bool,
    json_output: bool,
) -> None:
    """Refine occupancies of MODEL (PDB, mmCIF) against DATA (MTZ, SF-mmCIF), with all else held.

    FOLDER gets the model as refined.cif and refined.pdb, map coefficients, occupancies.csv, scripts for viewers and a
    report.
    """
    from atomloom_occupancy.job import Job, run
    from atomloom_occupancy.refining import How
    from atomloom_occupancy.restraints import parse_restraints

    weight, wishes = parse_restraints(restrain)
    how = How(target, weight, occupancy_aware_mask)
    given = Path(groups) if groups else None
    job = Job(
        Path(model), Path(data), Path(out), given, labels, seed, how, contacts, wishes, evidence, group_b or "", twinned
    )
    with watched():
        done = run(job)
    if done.table is not None:
        columns = ["state", "occupancy", "esd_b_fixed", "esd_b_free", "start", "bound"]
        rows = done.table[columns].astype(object).where(done.table[columns].notna(), None)
        table(columns, rows.itertuples(index=False), json_output)
    elif json_output:
        table(["state"], [], json_output)
    note(done.report.summary)
    note(f"Everything is in '{out}'.")


@occupancy.command("refine-all")
@click.argument("structures", metavar="LIST")
@click.option("--out", required=True, metavar="FOLDER", help="Where each structure gets a folder, and all a table.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Processes on this machine.")
@click.option("--scheduler", default="", metavar="ADDRESS", help="Of a Dask cluster that sees the files, instead.")
@click.option("--target", type=click.Choice(["ml", "ls"]), default="ml", show_default=True, help="What is minimised.")
@click.option("--contacts", is_flag=True, help="Without groups: join states that are in contact.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of free flags, where data have none.")
@json_option
def refine_all(
    structures: str,
    out: str,
    workers: int,
    scheduler: str,
    target: str,
    contacts: bool,
    seed: int,
    json_output: bool,
) -> None:
    """Refine all structures of LIST, a CSV file with the columns name, model, data and perhaps groups, labels.

    FOLDER gets a folder for each and summary.csv. What fails stops nothing else; the same command again goes on with
    what is not done. Exit 1 where a structure failed.
    """
    from atomloom_occupancy import many
    from atomloom_occupancy.structure_list import read_list

    listed = read_list(structures)
    with watched(), many.cluster(min(workers, len(listed)), scheduler) as client:
        found = many.refine_all(listed, Path(out), many.Settings(target, seed, contacts), client)
    columns = ["name", "status", "states", "r_work", "r_free", "nll_fall", "moved", "flat", "error"]
    rows = found[columns].astype(object).where(found[columns].notna(), None)
    table(columns, rows.itertuples(index=False), json_output)
    failed = int((found["status"] == "failed").sum())
    note(f"{len(found) - failed} of {len(found)} structures are done. Everything is in '{out}'.")
    click.get_current_context().exit(1 if failed else 0)


@occupancy.command()
@click.argument("model")
@click.option("--repair", metavar="FOLDER", help="Write MODEL there with sums over one brought to one, ratios kept.")
@json_option
def check(model: str, repair: str | None, json_output: bool) -> None:
    """Look for what does not fit in the occupancies of MODEL; exit 1 where something does not.

    FOLDER gets the model as repaired.cif and repaired.pdb; MODEL itself stays as it is.
    """
    from atomloom.report import to_text
    from atomloom_occupancy.checking import check_report, problems
    from atomloom_occupancy.structure import load_structure

    structure = load_structure(model)
    found = problems(structure)
    if json_output:
        table(("where", "what"), found, json_output)
    else:
        click.echo(to_text(check_report(structure, Path(model).name)))
    if repair:
        from atomloom_occupancy.repairing import write_repaired

        written, said = write_repaired(Path(model), structure, Path(repair))
        for each in said or ["No sum was over one."]:
            note(each)
        note(f"The model is in '{written[0]}' and '{written[1]}'.")
    click.get_current_context().exit(1 if found else 0)
