"""What data may lack, what counts, and what is refused rather than guessed."""

from __future__ import annotations

import numpy as np
import pytest

from atomloom import Dataset
from atomloom.errors import DataError
from atomloom_dcmnet import ModelConfig
from atomloom_dcmnet.completing import completed
from atomloom_dcmnet.weights import weights_of


def _data(*frames, **more):
    return Dataset.from_frames([{**frame, **more} for frame in frames])


def _without(frame, *names):
    return {name: values for name, values in frame.items() if name not in names}


def test_total_charges_follow_from_atomic_charges_that_add_up_to_whole_numbers(molecule):
    """A population analysis of a cation says that it is one."""
    frame = {**_without(molecule(2), "total_charge"), "mono": np.array([0.7, 0.302])}
    assert completed(_data(frame), ModelConfig())["total_charge"].tolist() == [1.0]


def test_atomic_charges_that_do_not_add_up_are_no_total_charge(molecule):
    """The message names the frame and the sum."""
    frame = {**_without(molecule(2), "total_charge"), "mono": np.array([0.7, 0.1])}
    with pytest.raises(DataError, match=r"the mono of frame 0 add up to 0\.800\. Bring total_charge, or say"):
        completed(_data(frame), ModelConfig())


def test_a_missing_charge_is_asked_for(molecule):
    """It is never zero on its own."""
    with pytest.raises(DataError, match=r"neither total_charge nor mono\. Bring one of them, or say what holds"):
        completed(_data(_without(molecule(2), "total_charge")), ModelConfig())


def test_a_missing_multiplicity_is_asked_for_where_it_is_read(molecule):
    """A network without conditioning does not look at it."""
    bare = _data(_without(molecule(2), "total_spin"))
    assert completed(bare, ModelConfig())["total_spin"][0] in (1, 2)
    with pytest.raises(DataError, match="the data hold no total_spin, which a conditioned network reads"):
        completed(bare, ModelConfig(conditioning="attention"))


def test_what_data_say_is_kept(molecule):
    """Options stand for what is missing only."""
    whole = completed(_data(molecule(3, 1.0)), ModelConfig(assume_charge=-2, assume_spin=3))
    assert (whole["total_charge"].tolist(), whole["total_spin"].tolist()) == ([1.0], [1])


def test_points_are_put_around_molecules_that_have_none(molecule):
    """No nearer than 1.4 radii; a potential without points cannot be used and is dropped."""
    bare = _data(_without(molecule(3), "vdw_surface"))
    whole = completed(bare, ModelConfig(esp_nearest=1.4, esp_farthest=2.0))
    assert whole["esp_weight"].min() == 1.0
    assert "esp" not in whole


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [0, 1, 1, 1]),
        ({"esp_nearest": 1.5}, [0, 0, 1, 1]),
        ({"esp_farthest": 2.5}, [0, 1, 1, 0]),
        ({"esp_largest": 0.05}, [0, 0, 1, 1]),
        ({"esp_distance_power": 1.0}, [0, 1.4, 2, 3]),
    ],
)
def test_points_count_by_distance_and_potential(options, expected):
    """At 1, 1.4, 2 and 3 radii from an oxygen; it is the points that are left out, never the molecule."""
    points = 1.52 * np.array([[0.0, 0.0, 1.0], [0.0, 1.4, 0.0], [2.0, 0.0, 0.0], [0.0, 0.0, -3.0]])
    values = np.array([0.2, -0.06, 0.04, 0.01])
    found = weights_of(points, np.array([8]), np.zeros((1, 3)), values, ModelConfig(**options))
    assert found == pytest.approx(np.array(expected, float))
