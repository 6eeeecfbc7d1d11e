"""One crystal, refined by every program from several starts, and every answer judged by one target."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from tables import Limit

from atomloom_occupancy.likelihood import Amplitudes, Errors, MaximumLikelihood
from occupancy.crystals import SHARED, Crystal, amplitudes
from occupancy.environments import OURS, Unavailable, ask

STARTS = (None, 0.1, 0.5, 0.9)
"""Where the first state of every group starts; None for the occupancies of the file."""

FEW = {"torchref": (None, 0.9)}
"""The starts of a program that takes minutes for each."""

HEADS = ("", "NLL", "by cctbx's F", "R work", "R free", "CPU s", "MiB", "start dep.", "esd")


@dataclass
class Comparison:
    """What came out for one crystal: rows of the table, limits, and what has to be said."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    limits: list[Limit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def compare(crystal: Crystal, folder: Path) -> Comparison:
    """Every program on one crystal, with the groups that cctbx finds and the likelihood that it exports."""
    given = {"model": str((SHARED / crystal.model).resolve()), "data": str(amplitudes(crystal, folder)), "groups": None}
    found, answers = Comparison(), dict[str, list[dict[str, Any]]]()
    for program in ("cctbx", OURS, "servalcat", "torchref"):
        if "cctbx" in answers:
            given["groups"] = answers["cctbx"][0]["groups"]
        try:
            starts = FEW.get(program, STARTS)
            answers[program] = [_refined(program, crystal, folder, given, start) for start in starts]
        except Unavailable as reason:
            found.notes.append(f"{crystal.name}: {reason}")
    ours = answers[OURS]
    loose = {state for each in ours[0]["flat"] for state in each}
    judged = _judged(crystal, folder, given, answers) if "cctbx" in answers else {}
    for program, each in answers.items():
        found.rows.append(_row(program, each, judged.get(program), loose))
    found.limits += _speed(crystal, answers, loose)
    if judged:
        found.rows.insert(1, ("atomloom, scales of cctbx", *_scores(judged["held"]), *[""] * 6))
        for place, by in enumerate(("its own F", "cctbx's F")):
            above = judged["held"][place] - judged["cctbx"][place]
            found.limits.append(Limit(f"{crystal.name}: NLL above cctbx's, by {by}", above, 0.01, least=False))
    if loose:
        found.notes.append(f"{crystal.name}: {len(ours[0]['flat'])} flat directions, whose states are not compared.")
    return found


def _refined(
    program: str, crystal: Crystal, folder: Path, given: dict[str, Any], start: float | None
) -> dict[str, Any]:
    name = f"{crystal.name}-{program}-{'file' if start is None else start}"
    return ask(program, "refine", {**given, "start": start}, folder, name)


def _judged(
    crystal: Crystal, folder: Path, given: dict[str, Any], answers: dict[str, list[dict[str, Any]]]
) -> dict[str, tuple[float, float]]:
    """The target of cctbx's scales and errors at what each program has found, by gemmi's F_calc and by cctbx's.

    The key ``held`` stands for our optimum of this very target.
    """
    exported = str(folder / f"{crystal.name}-cctbx-file.json.npz")
    names = list(answers)
    candidates = [_flat(answers[name][0]["occupancy"]) for name in names]
    task = {**given, "exported": exported, "starts": STARTS, "candidates": candidates}
    held = ask(OURS, "held", task, folder, f"{crystal.name}-held")
    points = [held["occupancy"][0], *candidates]
    shaped = [_grouped(point, given["groups"]) for point in points]
    ask("cctbx", "score", {**given, "start": None, "candidates": shaped}, folder, f"{crystal.name}-score")
    by_gemmi = [held["target"][0], *held["target"][len(STARTS) :]]
    by_cctbx = _targets(exported, folder / f"{crystal.name}-score.json.npy")
    return dict(zip(["held", *names], zip(by_gemmi, by_cctbx, strict=True), strict=True))


def _targets(exported: str, calculated: Path) -> list[float]:
    """The target of what cctbx exports at each of these F_calc."""
    with np.load(exported) as arrays:
        observed = Amplitudes(arrays["observed"], arrays["epsilon"], arrays["centric"])
        target = MaximumLikelihood(observed, Errors(arrays["alpha"], arrays["beta"] * arrays["epsilon"]))
        models = arrays["scale"] * (np.load(calculated) + arrays["bulk"])
    return [target.value(np.abs(model)) for model in models]


def _flat(values: list[Any]) -> list[float]:
    return [float(each) for each in np.hstack(values)]


def _grouped(values: list[float], groups: list[list[Any]]) -> list[list[float]]:
    left = iter(values)
    return [[next(left) for _ in group] for group in groups]


def _row(
    program: str, answers: list[dict[str, Any]], scores: tuple[float, float] | None, loose: set[int]
) -> tuple[str, ...]:
    first = answers[0]
    esd = np.array(first.get("esd", []), dtype=np.float64)
    return (
        program,
        *_scores(scores),
        f"{first['r_work']:.4f}",
        f"{first['r_free']:.4f}",
        f"{_cpu(answers):.1f}",
        f"{max(each['mebibytes'] for each in answers):.0f}",
        f"{_dependence(answers, loose):.1g}",
        f"median {np.nanmedian(esd):.3f}" if len(esd) else "none",
    )


def _scores(scores: tuple[float, float] | None) -> tuple[str, str]:
    return (f"{scores[0]:.2f}", f"{scores[1]:.2f}") if scores else ("", "")


def _cpu(answers: list[dict[str, Any]]) -> float:
    return median(each["cpu"] for each in answers)


def _dependence(answers: list[dict[str, Any]], loose: set[int]) -> float:
    """How far the answers from all starts are apart, flat directions aside."""
    values = np.array([_flat(each["occupancy"]) for each in answers])
    return float(np.delete(np.ptp(values, axis=0), sorted(loose)).max())


def _speed(crystal: Crystal, answers: dict[str, list[dict[str, Any]]], loose: set[int]) -> list[Limit]:
    """What is asked of us on this crystal, cctbx's likelihood aside."""
    ours, name = answers[OURS], crystal.name
    limits = [
        Limit(f"{name}: CPU seconds", _cpu(ours), 12, least=False),
        Limit(f"{name}: dependence on the start", _dependence(ours, loose), 1e-3, least=False),
    ]
    if "cctbx" in answers:
        limits.append(Limit(f"{name}: times faster than cctbx", _cpu(answers["cctbx"]) / _cpu(ours), 3))
    return limits
