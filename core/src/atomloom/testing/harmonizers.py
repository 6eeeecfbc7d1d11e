"""What harmonizers promise: they make another data set and leave the one that they were given."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from atomloom.data import Batch, Dataset
from atomloom.harmonizing import Choices, Finding
from atomloom.testing.check import Check, demand
from atomloom.testing.comparing import as_dataset, same_batch, same_declarations, whole
from atomloom.testing.subject import Subject


def pure(subject: Subject) -> None:
    """The data set and the choices before and after, and what comes out twice."""
    dataset, choices = _given(subject), Choices()
    before = Dataset(dataset.columns, dataset.fields, deepcopy(dataset.meta))
    values = _copy(whole(dataset))
    made, findings = _harmonized(subject, dataset, choices)
    same_declarations(before, dataset, "afterwards, in the data set that it was given,")
    demand(dataset.meta == before.meta, "it changes the meta of the data set that it is given")
    same_batch(whole(dataset), values, "afterwards, in the data set that it was given,")
    demand(choices == Choices(), "it changes the choices that it is given")
    again, found = _harmonized(subject, dataset, choices)
    same_declarations(made, again, "the second time")
    same_batch(whole(again), whole(made), "the second time")
    demand(found == findings, "the second time it finds something else")


def gives(subject: Subject) -> None:
    """The fields that are there afterwards."""
    made, _ = _harmonized(subject, _given(subject), Choices())
    missing = [name for name in subject.spec.gives if name not in made]
    demand(not missing, f"afterwards there is no {', '.join(missing)}, only {', '.join(made.columns)}")


def _given(subject: Subject) -> Dataset:
    dataset = as_dataset(subject.example, "the example")
    missing = [name for name in subject.spec.needs if name not in dataset]
    demand(not missing, f"the example lacks {', '.join(missing)}, which the harmonizer needs")
    return dataset


def _harmonized(subject: Subject, dataset: Dataset, choices: Choices) -> tuple[Dataset, list[Finding]]:
    returned: Any = subject.loaded(dataset, choices=choices)
    pair = isinstance(returned, tuple) and len(returned) == 2
    demand(pair, f"it returns a {type(returned).__name__} and not (Dataset, findings)")
    findings = list(returned[1])
    odd = [type(each).__name__ for each in findings if not isinstance(each, Finding)]
    demand(not odd, f"among its findings is a {', '.join(odd)}")
    return as_dataset(returned[0], "the first of what it returns"), findings


def _copy(batch: Batch) -> Batch:
    arrays = {name: values.copy() for name, values in batch.items()}
    sizes = {axis: lengths.copy() for axis, lengths in batch.sizes.items()}
    return Batch(arrays, batch.fields, sizes, batch.frames)


CHECKS = (
    Check(
        "pure",
        "harmonizers",
        "It changes nothing of what it is given, and gives the same for the same every time.",
        pure,
    ),
    Check("gives", "harmonizers", "Where what it needs is there, it makes what it says it gives.", gives),
)
