"""Averages against sums in float64, what is left out, what is refused, and how much memory it takes."""

from __future__ import annotations

import json
import pickle
import shutil
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from atomloom.cli.frame import atomloom
from atomloom.errors import DataError
from atomloom_residues import profiles, read_tree
from atomloom_residues.averaging import average, survey
from atomloom_residues.checkpoint_file import AVERAGED
from atomloom_residues.series import find
from atomloom_residues.soup import greedy


def made(folder: Path, count: int = 8, size: int = 50) -> list[dict[str, np.ndarray]]:
    """Checkpoints after epochs 1, 2, ... and what is in them."""
    random = np.random.default_rng(0)
    trees = []
    for epoch in range(1, count + 1):
        tree = {"w": random.normal(size=size).astype(np.float32), "steps": np.array([epoch], dtype=np.int32)}
        save_file(tree, folder / f"epoch_{epoch}.safetensors")
        trees.append(tree)
    return trees


def run(*arguments: object, code: int = 0) -> str:
    """What a command prints, or how it refuses; stops where it ends otherwise than expected."""
    done = CliRunner().invoke(atomloom, ["residues", "ema", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.stderr if code else done.stdout


def test_an_average_is_the_weighted_sum(tmp_path: Path) -> None:
    """In float64, rounded once; whole numbers are those of the newest file."""
    trees = made(tmp_path)
    run("--checkpoint-dir", tmp_path, "--output", tmp_path / "out.safetensors", "--profile", "power")
    weights = profiles.power(np.arange(1, 9), profiles.gamma_of(0.15))
    expected = sum(weight * tree["w"].astype(np.float64) for weight, tree in zip(weights, trees, strict=True))
    found = load_file(tmp_path / "out.safetensors")
    assert found["w"].tobytes() == np.asarray(expected).astype(np.float32).tobytes()
    assert found["steps"].tolist() == [8]


def test_the_file_says_where_it_comes_from(tmp_path: Path) -> None:
    """Rule, weights and hashes of the sources, in the metadata of the file."""
    made(tmp_path)
    said = run("--checkpoint-dir", tmp_path, "--output", tmp_path / "out.safetensors", "--last", 2)
    assert "the last 2, evenly: effective number 2.00, oldest weight 0." in said
    with safe_open(tmp_path / "out.safetensors", framework="np") as file:
        about = json.loads(file.metadata()[AVERAGED])
    assert [source["weight"] for source in about["sources"]] == [0.0] * 6 + [0.5] * 2
    assert all(source["hash"].startswith("blake2b") for source in about["sources"])


def test_a_pickle_on_request_is_plain(tmp_path: Path) -> None:
    """Nested as in the sources, with nothing but dicts, lists and arrays of numpy."""
    for epoch in (1, 2):
        state = {"params": {"layers": [{"w": np.full(2, float(epoch))}]}}
        (tmp_path / f"epoch_{epoch}.pkl").write_bytes(pickle.dumps(state))
    run("--checkpoint-dir", tmp_path, "--output", tmp_path / "out.pkl", "--last", 2)
    found = pickle.loads((tmp_path / "out.pkl").read_bytes())
    assert found["layers"][0]["w"].tolist() == [1.5, 1.5]


REFUSED = {
    "--decay 0.999": (
        "Cannot average with --decay 0.999: a decay says nothing without its unit; taken for each file, as scripts do, "
        "it leaves the first of 8 files 99.3 % of the weight and the last 0.1 % (effective number 1.01). Use "
        "`--profile power --sigma-rel 0.15` (effective number 3.19), say --per, or insist by --legacy."
    ),
    "--decay 0.999 --per checkpoint": (
        "Cannot average with --decay 0.999 --per checkpoint: over 8 files it decays nothing and is their plain mean. "
        "Use `--last 8` for that, or `--profile power --sigma-rel 0.15`."
    ),
    "--decay 0.999 --per step": (
        "Cannot use a decay per step: the files are numbered by epochs. Say how many steps those have with "
        "--steps-per-epoch."
    ),
    "--decay 0.999 --per step --steps-per-epoch 9000": (
        "Cannot average with --decay 0.999 --per step: the newest file has 99.99 % of the weight (effective number "
        "1.00). Use `--profile power --sigma-rel 0.15` (effective number 3.19)."
    ),
    "--last 1": (
        "Cannot average with --last 1: it is the newest file alone. Use `--profile power --sigma-rel 0.15` (effective "
        "number 3.19)."
    ),
    "--last 9": "Cannot average the last 9 checkpoints: there are 8 of them. Give a number from 1 to 8.",
    "--last 2 --profile power": (
        "Cannot average the checkpoints: --profile and --last are both given. Give one of them."
    ),
    "--sigma-rel 0.5": (
        "Cannot use the relative width of a power profile: 0.5 is not in the range above 0 and up to 1/sqrt(12) = "
        "0.289, which is uniform. Try `--sigma-rel 0.15`."
    ),
    "--soup": ("Cannot cook a soup: nothing says what it is judged by. Give the experiment with --validate."),
}


@pytest.mark.parametrize("options", REFUSED)
def test_choices_that_say_something_else_are_refused(options: str, tmp_path: Path) -> None:
    """With the reason, the nearest good command, exit code 2 and no file."""
    made(tmp_path)
    said = run("--checkpoint-dir", tmp_path, "--output", tmp_path / "out.safetensors", *options.split(), code=2)
    assert said.strip() == f"atomloom: {REFUSED[options]}"
    assert not (tmp_path / "out.safetensors").exists()


def test_legacy_is_what_scripts_do(tmp_path: Path) -> None:
    """Asked for by name it is done, to the letter."""
    trees = made(tmp_path, count=3)
    run("--checkpoint-dir", tmp_path, "--output", tmp_path / "out.safetensors", "--decay", 0.999, "--legacy")
    ema = trees[0]["w"].astype(np.float64)
    for tree in trees[1:]:
        ema = 0.999 * ema + 0.001 * tree["w"]
    assert load_file(tmp_path / "out.safetensors")["w"] == pytest.approx(ema, rel=1e-7)


def test_a_tree_that_is_not_finite_is_left_out(tmp_path: Path) -> None:
    """The newest one too, and the message says which leaf it was."""
    made(tmp_path, count=3)
    save_file(
        {"w": np.full(50, np.nan, dtype=np.float32), "steps": np.array([4], np.int32)}, tmp_path / "epoch_4.safetensors"
    )
    series = survey(find(tmp_path))
    assert [path.name for path in series.files] == [f"epoch_{epoch}.safetensors" for epoch in (1, 2, 3)]
    assert series.excluded[-1].reason == "'w' is not finite"


UNLIKE = {
    "leaf": ({"v": np.ones(50, np.float32)}, r"steps, w are in 'epoch_2.* and not in 'epoch_1"),
    "shape": (
        {"w": np.ones(9, np.float32), "steps": np.ones(1, np.int32)},
        r"w has the shape \(9,\) and there \(50,\)",
    ),
    "dtype": ({"w": np.ones(50), "steps": np.ones(1, np.int32)}, r"w has the dtype float64 and there float32"),
}


@pytest.mark.parametrize("what", UNLIKE)
def test_trees_that_are_not_alike_are_an_error(what: str, tmp_path: Path) -> None:
    """It names the leaves; nothing is cut to what both have."""
    made(tmp_path, count=2)
    other, message = UNLIKE[what]
    save_file(other, tmp_path / "epoch_1.safetensors")
    with pytest.raises(DataError, match=message):
        survey(find(tmp_path))


def test_memory_is_that_of_three_trees(tmp_path: Path) -> None:
    """The sums in float64 are two and one file is the third, beside the leaves at hand, for any number of files."""
    size = 1 << 20
    for epoch in range(1, 7):
        leaves = {f"w{place}": np.full(size // 8, epoch, dtype=np.float32) for place in range(8)}
        (tmp_path / f"epoch_{epoch}.pkl").write_bytes(pickle.dumps({"params": leaves, "epoch": epoch}))
    files = find(tmp_path).files
    tracemalloc.start()
    average(files, [1 / 6] * 6)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    one_leaf = 8 * size // 8
    assert peak < 3 * 4 * size + 3 * one_leaf


def test_a_soup_is_never_worse_than_its_best_file(tmp_path: Path) -> None:
    """Two files with opposite errors make a perfect one; the bad one stays out."""
    for epoch, value in enumerate((9.0, 1.5, 0.5), start=1):
        save_file({"w": np.array([value])}, tmp_path / f"epoch_{epoch}.safetensors")
    series = find(tmp_path)
    soup = greedy(series, lambda tree: float(np.abs(tree[("w",)] - 1.0).sum()))
    assert soup.weights.tolist() == [0.0, 0.5, 0.5]
    assert (soup.score, soup.scores.tolist()) == (0.0, [8.0, 0.5, 0.5])


EXPERIMENT = """\
[[data.source]]
path = "molecules.npz"
reader = "npz"
[data.split]
train = 0.6
valid = 0.2
test = 0.2
[model]
name = "ridge"
[training]
num_epochs = 6
save_every_n_epochs = 1
keep_last = 6
"""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with molecules, an experiment and its run."""
    from atomloom.examples.morse import make
    from atomloom.writers import write

    folder = tmp_path_factory.mktemp("fitted")
    write(make(frames=80, seed=2), folder / "molecules.npz")
    (folder / "experiment.toml").write_text(EXPERIMENT)
    done = CliRunner().invoke(atomloom, ["--quiet", "run", str(folder / "experiment.toml"), "--runs", str(folder)])
    assert done.exit_code == 0, done.output
    return next(path.parent for path in folder.glob("*/config.toml"))


def test_a_run_is_averaged_by_its_validation_part(fitted: Path, tmp_path: Path) -> None:
    """With --validate the soup is the default, and its loss is not above that of any file."""
    target = tmp_path / "out.safetensors"
    said = run("--checkpoint-dir", fitted, "--output", target, "--validate", fitted / "config.toml", "--json")
    about = json.loads(said)
    assert about["rule"].startswith("greedy soup of")
    assert about["loss"] <= min(about["losses"])
    assert len(about["sources"]) == 6
    assert {each["file"] for each in about["excluded"]} >= {"latest.safetensors"}


def test_an_average_of_a_run_is_a_checkpoint(fitted: Path, tmp_path: Path) -> None:
    """It opens as one, with the epoch of the newest file."""
    from atomloom.runs import checkpoint

    run("--checkpoint-dir", fitted, "--output", tmp_path / "out.safetensors")
    loaded = checkpoint.load(tmp_path / "out.safetensors")
    assert loaded.epoch == 6
    assert loaded.leaves.keys() == {name for (name,) in read_tree(fitted / "checkpoints" / "latest.safetensors")}


def test_an_average_is_used_and_not_averaged(fitted: Path, tmp_path: Path) -> None:
    """In the place of the best checkpoint it is what predictions are made with; the next average leaves it out."""
    folder = tmp_path / "run"
    shutil.copytree(fitted, folder)
    run("--checkpoint-dir", folder, "--output", folder / "checkpoints" / "best.safetensors", "--last", 2, "--overwrite")
    done = CliRunner().invoke(atomloom, ["--quiet", "evaluate", str(folder)])
    assert done.exit_code == 0, done.output
    excluded = {each.path.name: each.reason for each in find(folder).excluded}
    assert excluded["best.safetensors"] == "an average itself"


def test_the_post_processor_compares_averages(fitted: Path) -> None:
    """A row for the last file, the best one, the soup, and each fixed average that makes sense."""
    done = CliRunner().invoke(atomloom, ["--quiet", "evaluate", str(fitted), "--mode", "checkpoint-average"])
    assert done.exit_code == 0, done.output
    for expected in ("last file, epoch 6", "best file on validation", "greedy soup of", "power profile"):
        assert expected in done.stdout
