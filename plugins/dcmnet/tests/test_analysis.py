"""What an analysis promises: errors of the very points, beside bounds that are bounds, in files that others read."""

from __future__ import annotations

import csv
import json

import msgspec
import numpy as np
import pytest

from atomloom.data import concatenate
from atomloom.errors import ConfigError
from atomloom.pipeline import Fitted, predict
from atomloom.runs import Run
from atomloom.writers import write
from atomloom_dcmnet.analysis import summarised
from atomloom_dcmnet.checkpoints import (
    analyze_checkpoint,
    analyze_training_history,
    batch_analysis_summary,
    compare_checkpoints,
    dcmnet_analysis,
)
from atomloom_dcmnet.example import surfaces
from atomloom_dcmnet.experiments import ExperimentConfig, ModelConfig, TrainingConfig
from atomloom_dcmnet.molecules import KCAL
from atomloom_dcmnet.pictures import charge_sites, potentials, triangulated
from atomloom_dcmnet.surfaces import sphere
from atomloom_dcmnet.training import config_of


def _twice():
    """As many frames as the default division of data takes."""
    return concatenate([surfaces(), surfaces()])


@pytest.fixture(scope="module")
def analysis(trained):
    """Of all molecules, those that were trained on too."""
    return analyze_checkpoint(trained.exp_dir, surfaces())


def test_a_training_is_one_call(trained):
    """It gives parameters and a loss, and keeps its analysis beside them."""
    assert np.isfinite(trained.loss)
    assert set(trained.params) >= {"charges", "displacements"}
    kept = {path.name for path in (trained.exp_dir / "analysis").iterdir()}
    assert kept >= {"best_analysis.json", "predictions.csv", "training_history.csv", "dcmnet-analysis"}


def test_the_history_has_a_row_for_every_epoch(trained):
    """With the metrics of the run."""
    with (trained.exp_dir / "analysis" / "training_history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert {"train/loss", "valid/loss", "valid/esp/rmse"} <= set(rows[0])
    assert analyze_training_history(trained.exp_dir)["epochs"] == 3


def test_errors_are_those_of_the_predicted_potential(trained, analysis):
    """Worked out anew from predictions, molecule by molecule."""
    fitted, data = Fitted.load(Run.open(trained.exp_dir)), surfaces()
    found = predict(fitted, data)
    for number, molecule in enumerate(analysis.molecules):
        error = KCAL * (found.take([number])["esp"] - data.take([number])["esp"])
        assert molecule.rmse == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-4)
        assert molecule.largest == pytest.approx(np.abs(error).max(), rel=1e-4)


def test_no_network_is_better_than_its_bound(analysis):
    """Free sites are at least as good as those of the network, from which their search begins."""
    assert (analysis.of("bound_sites") <= analysis.of("rmse")).all()
    assert (analysis.of("bound_sites") <= analysis.of("bound_atoms")).all()


def test_charges_keep_what_the_model_promises(analysis):
    """Total charges to 1e-6 e, and displacements within the bound, after a training as before."""
    assert analysis.of("net_charge").max() < 1e-6
    assert analysis.displacements.max() <= 0.3 + 1e-6


def test_every_point_is_in_one_element_and_one_shell(analysis):
    """Sums of squares over the parts are those over all."""
    whole = np.sum((analysis.predicted - analysis.reference) ** 2)
    for parts in (analysis.elements, analysis.shells):
        assert sum(part.points for part in parts) == len(analysis.reference)
        assert sum(part.points * part.rmse**2 for part in parts) == pytest.approx(whole)


def test_a_report_names_errors_and_bounds(trained):
    """As the post-processor gives it, on the frames that were kept for it."""
    report = dcmnet_analysis(Run.open(trained.exp_dir), surfaces()[:2])
    assert "Charges fitted at the atoms of each reach" in report.summary
    titles = [section.title for section in report.sections]
    assert titles[:2] == ["Potential", "Molecules"]
    assert titles[-1] == "Learning curves"


def test_reference_and_prediction_are_drawn_in_the_same_colours(analysis):
    """On one surface, with the error beside them and its own colours."""
    reference, predicted, error = potentials(analysis.portraits[0])
    assert reference.reach == predicted.reach == max(np.abs([*reference.values, *predicted.values]))
    assert error.values == pytest.approx(predicted.values - reference.values)
    assert error.reach is None


def test_the_worst_molecule_is_drawn(analysis):
    """And another one; with as many sites as the network has."""
    worst, middle = analysis.portraits
    assert worst.frame == int(np.argmax(analysis.of("rmse")))
    assert worst.frame != middle.frame
    drawn = charge_sites(worst)
    assert drawn.points.shape == (2 * len(worst.numbers), 3)
    assert drawn.molecule.slim


def test_triangles_do_not_span_gaps():
    """Two balls of points that lie apart are not joined by long triangles."""
    balls = np.concatenate([sphere(200), sphere(200) + np.array([8.0, 0.0, 0.0])])
    found = triangulated(balls)
    assert not len(found) or np.linalg.norm(np.ptp(balls[found], axis=1), axis=1).max() < 4.0
    assert len(triangulated(np.zeros((60, 3)))) == 0
    assert len(triangulated(np.random.default_rng(0).normal(size=(60, 3)) * [1.0, 1.0, 0.0])) == 0


def test_the_analysis_is_kept_as_json(trained):
    """Summaries and molecules, of the frames that the division of the data kept for it."""
    kept = json.loads((trained.exp_dir / "analysis" / "best_analysis.json").read_text())
    assert kept["summary"]["rmse"]["max"] == max(each["rmse"] for each in kept["molecules"])


def test_checkpoints_and_runs_are_compared_on_the_same_frames(trained):
    """Best and latest of one run, and several runs in rows."""
    data = surfaces()[:2]
    assert set(compare_checkpoints(trained.exp_dir, data)) == {"best", "latest"}
    rows = batch_analysis_summary([trained.exp_dir], data)
    assert [(row["run"], row["n_dcm"], row["molecules"]) for row in rows] == [("first", 2, 2)]


def test_a_checkpoint_that_there_is_not_is_refused(trained):
    """With those that there are."""
    with pytest.raises(ConfigError, match=r"Cannot analyse the checkpoint 'worst'.*Choose best or latest"):
        analyze_checkpoint(trained.exp_dir, which="worst")


def test_a_summary_has_the_tail():
    """Median, p75, p99 and max beside the mean; nothing of nothing."""
    found = summarised(np.arange(101.0))
    assert found == {"mean": 50.0, "median": 50.0, "p75": 75.0, "p99": 99.0, "max": 100.0}
    assert summarised(np.zeros(0)) == {}


@pytest.mark.parametrize(
    "config",
    [
        ModelConfig(n_dcm=7, features=16, conditioning="attention"),
        TrainingConfig(batch_size=3, gradient_accumulation_steps=4),
        ExperimentConfig(data=("a.npz", "b.npz"), model=ModelConfig(n_dcm=4), esp_w=10.0),
    ],
    ids=lambda config: type(config).__name__,
)
def test_configs_survive_json(config):
    """Encoded and decoded they are what they were."""
    assert msgspec.json.decode(msgspec.json.encode(config), type=type(config)) == config


def test_weights_that_nobody_changed_are_the_defaults_of_the_model():
    """So that a loss whose reference is missing is switched off; one that was named stops the run."""
    assert config_of("a.npz", {}).losses == {}
    assert config_of("a.npz", {"chg_w": 0.0}).losses == {"potential": 1.0}


def test_a_training_without_monopoles_leaves_their_loss_out(tmp_path):
    """Missing charges are never zeros to be trained to."""
    from atomloom.pipeline import prepare

    write(_twice().without("dcm_charges", "mono"), tmp_path / "bare.npz")
    job = prepare(config_of(str(tmp_path / "bare.npz"), {}).experiment())
    assert [loss.name for loss in job.losses] == ["potential"]
    assert "charges" in job.off
