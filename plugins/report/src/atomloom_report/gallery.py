"""Every block and every kind of figure on one page, with the cases in which reports go wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from atomloom.report import (
    Axis,
    Bars,
    Block,
    Column,
    Curve,
    HeatMap,
    Heights,
    Hexbin,
    Histogram,
    KeyFigure,
    KeyFigures,
    Link,
    Links,
    Points3D,
    Report,
    Scatter,
    Section,
    Series,
    Surface3D,
    Table,
    Text,
    Unknown,
    parity,
)
from atomloom_report import specimen

MANY = 50_000
"""Points of the figures that have to be thinned or counted."""

RESIDUES = [
    "ALA",
    "ARG",
    "ASN",
    "ASP",
    "CYS",
    "GLN",
    "GLU",
    "GLY",
    "HIS",
    "ILE",
    "LEU",
    "LYS",
    "MET",
    "PHE",
    "PRO",
    "SER",
    "THR",
    "TRP",
    "TYR",
    "VAL",
]
NASTY = """<script>document.title = "broken"</script> "quoted" & 'so' %{x} $x^2$ <b>bold</b> 🧪"""

ENERGY, FORCE = Axis("energy", "eV"), Axis("force error", "eV/angstrom")


def demo(folder: Path, /) -> Report:
    """The demo of this plugin: the gallery; there is nothing to compute in `folder`."""
    (folder / "notes.txt").write_text("A file that the gallery links to.\n", encoding="utf-8")
    return report()


def report() -> Report:
    """The gallery; the same at every call."""
    random = np.random.default_rng(2)
    sections = (
        Section("Key figures", _key_figures()),
        Section("Tables", _tables(random)),
        Section("Curves", _curves(random)),
        Section("Predictions against reference values", _parities(random)),
        Section("Distributions", _distributions(random)),
        Section("Bars", _bars(random)),
        Section("Heat maps", _heat_maps(random)),
        Section("In space", _in_space()),
        Section("Words and files", _words()),
        Section("What else may happen", _edge_cases()),
    )
    summary = (
        "Every block and every kind of figure that a report can hold, and what happens when there is little to show."
    )
    facts = {"made by": "atomloom demo report", "figures from": "random numbers and a molecule of ideal geometry"}
    return Report("A gallery of reports", sections, summary, facts, datetime(2026, 11, 21, 12, tzinfo=UTC))


def _key_figures() -> tuple[Block, ...]:
    figures = (
        KeyFigure("MAE of the energy", 0.01234, "eV", 0.00047, "1,200 test frames"),
        KeyFigure("MAE of the forces", 0.0521, "eV/angstrom", 0.0013),
        KeyFigure("Relative error", 3.2e-7, "", 4e-9),
        KeyFigure("Quadrupole", -12.34, "e*angstrom^2", 1.43),
        KeyFigure("Epochs", 400),
        KeyFigure("Space group", "P 21 21 21"),
        KeyFigure("R²", 0.99871, digits=5),
        KeyFigure("Coverage", float("nan"), "%", note="no frame had an uncertainty"),
    )
    return (KeyFigures(figures),)


def _tables(random: np.random.Generator) -> tuple[Block, ...]:
    errors = random.gamma(3, 0.02, len(RESIDUES))
    residues = Table.of(
        [
            (Column("residue", kind="text"), RESIDUES),
            (Column("atoms", kind="integer"), random.integers(200, 90_000, len(RESIDUES))),
            (Column("MAE", "eV/angstrom", uncertainty="spread"), errors),
            (Column("spread", "eV/angstrom"), errors * random.uniform(0.01, 0.2, len(RESIDUES))),
            (Column("largest", "eV/angstrom", precision=2), errors * random.uniform(5, 400, len(RESIDUES))),
            (Column("bias", "eV/angstrom"), random.normal(0, 1, len(RESIDUES)) * 10.0 ** -np.arange(len(RESIDUES))),
        ],
        title="Force errors by residue",
        caption="Uncertainties in brackets are standard errors of the *last* digits. Sort by any column.",
    )
    layers = Table.of(
        [
            (Column("frame", kind="integer"), range(400)),
            (Column("energy", "eV", precision=4), random.normal(-1e4, 3, 400)),
            (Column("source", kind="text"), [f"dimers-{i % 7}.npz" for i in range(400)]),
        ],
        title="A long table scrolls within its frame",
    )
    return residues, layers


def _curves(random: np.random.Generator) -> tuple[Block, ...]:
    epochs = np.arange(1, 201)
    series = []
    for name, floor, noise in (("train", 0.004, 0.03), ("valid", 0.009, 0.06), ("valid, averaged", 0.008, 0.01)):
        loss = (floor + 0.8 * epochs**-1.1) * np.exp(random.normal(0, noise, epochs.size))
        series.append(Series.around(name, epochs, loss, loss * (0.05 + 2 * noise)))
    steps = np.arange(MANY)
    walk = np.cumsum(random.normal(0, 0.05, steps.size))
    walk[18_000:22_000] = np.nan
    return (
        Curve(
            title="Loss",
            series=tuple(series),
            x=Axis("epoch"),
            y=Axis("loss", "eV²", "log"),
            caption="Bands are one standard deviation over five seeds.",
        ),
        Curve(title="Fifty thousand steps", series=(Series("", steps, walk),), x=Axis("step"), y=ENERGY),
    )


def _parities(random: np.random.Generator) -> tuple[Block, ...]:
    reference = random.normal(-4, 1.5, 240)
    predicted = reference + random.normal(0, 0.15, 240)
    many = random.normal(0, 2, MANY)
    much = many + random.standard_t(3, MANY) * 0.08
    crowd = parity("Force components", much, many, Axis("force", "eV/angstrom"))
    sites = random.uniform(0.1, 1, 16)
    fitted = sites + random.normal(0, 0.04, 16)
    occupancies = Scatter(
        title="Occupancies with their uncertainties",
        series=(
            Series(
                "site A", sites[:8], fitted[:8], fitted[:8] - 0.05, fitted[:8] + 0.05, tuple(f"A{i}" for i in range(8))
            ),
            Series(
                "site B", sites[8:], fitted[8:], fitted[8:] - 0.03, fitted[8:] + 0.08, tuple(f"B{i}" for i in range(8))
            ),
        ),
        x=Axis("reference occupancy"),
        y=Axis("refined occupancy"),
        identity=True,
    )
    costs = random.uniform(1, 5, 60)
    return (
        parity("Energies", predicted, reference, ENERGY, "Each point is one test frame."),
        occupancies,
        crowd,
        Hexbin.of(crowd),
        Scatter(
            title="Cost against size",
            series=(
                Series("dense", 10**costs, 10 ** (1.9 * costs - 3)),
                Series("cut off", 10**costs, 10 ** (costs - 1.2)),
            ),
            x=Axis("atoms", scale="log"),
            y=Axis("time", "ms", "log"),
        ),
    )


def _distributions(random: np.random.Generator) -> tuple[Block, ...]:
    errors = {"test": random.normal(0, 0.1, 2000), "other temperature": random.normal(0.12, 0.16, 1400)}
    tails = {"": random.standard_t(3, 50_000) * 0.02}
    long = Histogram.of("Long tails", tails, FORCE, caption="Counts on a logarithmic axis.")
    return (
        Histogram.of("Errors", errors, Axis("predicted - reference", "eV")),
        Histogram(
            title=long.title,
            caption=long.caption,
            edges=long.edges,
            series=long.series,
            x=long.x,
            y=Axis("count", scale="log"),
            statistics=long.statistics,
        ),
    )


def _bars(random: np.random.Generator) -> tuple[Block, ...]:
    before, after = random.gamma(9, 0.01, 20), random.gamma(9, 0.006, 20)
    costs = np.array([0.8, 14.0, 230.0, 5100.0])
    return (
        Bars(
            title="Force errors by residue",
            labels=tuple(RESIDUES),
            series=(Heights("single checkpoint", before, before / 8), Heights("averaged", after, after / 9)),
            x=Axis("residue"),
            y=FORCE,
            caption="Error bars are standard errors over proteins.",
        ),
        Bars(
            title="Time for one epoch",
            labels=("ridge", "PhysNet", "PhysNet, large", "PhysNet with distributed charges"),
            series=(Heights("", costs, costs / 5),),
            y=Axis("time", "s", "log"),
        ),
    )


def _heat_maps(random: np.random.Generator) -> tuple[Block, ...]:
    names = ("E", "F", "D", "Q", "mono", "esp")
    mixed = random.normal(size=(40, 6)) @ random.normal(size=(6, 6))
    x, y = np.linspace(0.8, 3, 90), np.linspace(60, 180, 70)
    energies = 3 * (1 - np.exp(-1.6 * (x - 1.2))) ** 2 + 0.0006 * (y[:, None] - 109.5) ** 2
    energies[40:44, 60:66] = np.nan
    return (
        HeatMap(
            title="Correlation of errors",
            values=np.asarray(np.corrcoef(mixed.T)),
            rows=names,
            columns=names,
            color=Axis("Pearson's r"),
            centre=0.0,
        ),
        HeatMap(
            title="Energy over bond and angle",
            values=energies,
            at_x=x,
            at_y=y,
            x=Axis("bond", "angstrom"),
            y=Axis("angle", "degree"),
            color=Axis("energy", "eV", "log"),
        ),
    )


def _in_space() -> tuple[Block, ...]:
    atoms, charges = specimen.molecule()
    vertices, triangles = specimen.surface(atoms)
    points = 1.25 * vertices[::3]
    potential = Axis("electrostatic potential", "kcal/mol/e")
    return (
        Surface3D(
            title="Potential on the surface of 4-nitrophenol",
            vertices=vertices,
            triangles=triangles,
            values=specimen.potential(vertices, atoms, charges),
            molecule=atoms,
            color=potential,
            centre=0.0,
            caption="Drag to turn it; hold Ctrl for the wheel to change its size.",
        ),
        Points3D(
            title="Error of the potential at grid points",
            points=points,
            values=np.abs(specimen.potential(points, atoms, np.roll(charges, 1) - charges)),
            molecule=atoms,
            color=Axis("absolute error", "kcal/mol/e"),
        ),
    )


def _words() -> tuple[Block, ...]:
    links = (Link("report.json", "this report as data"), Link("report.txt", "as text"), Link("notes.txt", NASTY))
    return (
        Text(
            "Running text knows `code` and *emphasis*, and nothing else: 2 * 3 * 4 is a product, "
            "<b>this</b> is not bold.\n\n"
            "A plugin describes what it found as an `atomloom.report.Report` and never draws anything itself, so all "
            "reports look and behave like this one: turn, zoom, hover, sort, download; light, dark, on paper."
        ),
        Links(links),
        Unknown("hologram", {"type": "hologram"}),
    )


def _edge_cases() -> tuple[Block, ...]:
    none = np.empty(0)
    nothing = Series("nothing", none, none)
    gaps = Series("a", np.arange(1.0, 5.0), np.array([np.nan, 1.0, np.inf, 2.0]))
    pair = Series(NASTY, np.array([1.0, 2.0]), np.array([3.0, 4.0]), labels=(NASTY, "b"))
    values = np.array([1, np.nan, -2])
    cells = [("ALA", 1.5, 3), (NASTY, float("nan"), None), ("水 😀", float("-inf"), -7), (None, 1e300, 10**12)]
    strange = (Column(NASTY, kind="text"), Column("x", "<i>m</i>"), Column("n", kind="integer"))
    return (
        KeyFigures((KeyFigure(NASTY, 1.0, "<u>", note=NASTY), KeyFigure("a" * 80, -1.5e300, "eV")), NASTY),
        Table(strange, tuple(cells), title=NASTY, caption=f"{NASTY} with `<code>`."),
        Table((Column("residue", kind="text"), Column("MAE", "eV")), (), title="A table without rows"),
        Table((), (), title="A table without columns"),
        Scatter(title=NASTY, series=(pair,), x=Axis(NASTY, "<i>")),
        Curve(title="One point", series=(Series("only", np.array([3.0]), np.array([0.5])),), x=Axis("epoch"), y=ENERGY),
        Curve(title="Gaps", series=(gaps, nothing), x=Axis("epoch"), y=Axis("y", scale="log")),
        Curve(title="No points", series=(nothing,)),
        Histogram.of("No values", {"x": []}, ENERGY),
        Histogram.of("One value", {"x": [2.5, 2.5]}, ENERGY),
        Bars(title="Bars with strange names", labels=(NASTY, "", "b"), series=(Heights(NASTY, values),)),
        Bars(title="No bars", labels=(), series=()),
        HeatMap(title="One cell", values=values[1:][None], rows=(NASTY,), columns=("a", NASTY), color=Axis("<b>")),
        HeatMap(title="No cells", values=np.empty((0, 3))),
        Points3D(title="One point in space", points=np.zeros((1, 3)), values=np.ones(1), color=Axis(NASTY, "eV")),
        Points3D(title="No points in space", points=np.empty((0, 3))),
        Points3D(title="Only a molecule", points=np.empty((0, 3)), molecule=specimen.molecule()[0]),
    )
