"""Frozen records behave as frozen, keyword-only dataclasses do."""

from __future__ import annotations

import copy
import pickle

import pytest

from atomloom.specs import Field, LossSpec, ReaderSpec, Spec

SPEC = ReaderSpec(name="x", load="a:b", waivers={"slices": "it has none"})


def test_cannot_be_changed() -> None:
    """Assigning and deleting are refused, with what to do instead."""
    with pytest.raises(AttributeError, match=r"ReaderSpec is frozen: make another one with \.replace\(name=\.\.\.\)"):
        SPEC.name = "y"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del SPEC.name


def test_equality_is_of_type_and_values() -> None:
    """Equal values of one type are equal and hash alike; another type never is."""
    assert ReaderSpec(name="x", load="a:b", waivers={"slices": "it has none"}) == SPEC
    assert hash(SPEC) == hash(SPEC.replace())
    assert ReaderSpec(name="x", load="a:b") != LossSpec(name="x", load="a:b")


@pytest.mark.parametrize("again", [lambda spec: pickle.loads(pickle.dumps(spec)), copy.copy, copy.deepcopy])
def test_copies_are_equal(again: object) -> None:
    """Records survive pickling, as processes that load data need, and copying."""
    assert callable(again)
    assert again(SPEC) == SPEC


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReaderSpec(name="x"), r"ReaderSpec\(\) needs 'load'"),  # type: ignore[call-arg]
        (lambda: Field(), r"Field\(\) needs 'name'"),  # type: ignore[call-arg]
        (lambda: Field(name="x", dim=()), r"Field\(\) has no field 'dim'; its fields are name, summary"),  # type: ignore[call-arg]
    ],
)
def test_wrong_fields_are_named(make: object, message: str) -> None:
    """Missing and unknown fields are said by name."""
    assert callable(make)
    with pytest.raises(TypeError, match=message):
        make()


def test_fields_of_a_base_come_first() -> None:
    """A subclass has the fields of its bases before its own, and shows all of them."""
    assert repr(Spec(name="x")) == "Spec(name='x', summary='', cite=(), example='', waivers=mappingproxy({}))"
    assert repr(SPEC).startswith("ReaderSpec(name='x', summary='', cite=(), example='', waivers={'slices'")
