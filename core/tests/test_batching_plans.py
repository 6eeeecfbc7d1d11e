"""Order, buckets, packing, plans and streams, against brute force and closed forms."""

from __future__ import annotations

import json
from itertools import combinations, pairwise, permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomloom.batching import (
    BucketPlan,
    FixedPlan,
    Order,
    PackedPlan,
    Plan,
    Position,
    Shape,
    Sizes,
    Stream,
    buckets,
    choose,
    dense_pairs,
    packing,
)
from atomloom.batching.permutation import SMALL
from atomloom.errors import ConfigError, DataError
from atomloom.experiment import Batching

lengths = st.lists(st.integers(1, 40), min_size=1, max_size=60).map(np.array)


def plans(sizes: Sizes, *, group: int = 1, seed: int = 0) -> dict[str, Plan]:
    """One plan of every kind over the same frames."""
    order, longest = Order(len(sizes), seed), sizes.longest("atoms")
    bounds = tuple(buckets.optimal(sizes.atoms, 3).tolist())
    pairs, grid = max(3 * sizes.longest("pairs"), 1), 0
    return {
        "fixed": FixedPlan(sizes, order, 4, group=group),
        "shuffled buckets": BucketPlan(sizes, order, bounds, batch_size=4, group=group),
        "interleaved buckets": BucketPlan(sizes, order, bounds, atoms=2 * longest, turns="interleaved", group=group),
        "sequential buckets": BucketPlan(sizes, order, bounds, batch_size=3, turns="sequential", group=group),
        "packed": PackedPlan(sizes, order, Shape(8, 2 * longest), group=group, window=16),
        "packed with pairs": PackedPlan(sizes, order, Shape(8, 3 * longest, pairs, grid), group=group, window=16),
    }


def sizes_of(atoms: np.ndarray) -> Sizes:
    """Sizes with all pairs."""
    return Sizes(atoms, dense_pairs(atoms))


@pytest.mark.parametrize("frames", [0, 1, 2, 3, 1000, SMALL, SMALL + 1, 100_003, (1 << 18) + 7])
def test_an_order_is_a_permutation(frames: int) -> None:
    """Every frame comes once, and a stretch of positions gives the same as the whole."""
    order = Order(frames, seed=3)
    whole = order.at(2)
    assert np.array_equal(np.sort(whole), np.arange(frames))
    assert np.array_equal(order.at(2, frames // 3, frames // 2), whole[frames // 3 : frames // 2])


def test_no_two_epochs_or_seeds_share_an_order() -> None:
    """Epoch 1 of seed s is not epoch 0 of seed s + 1, and no two of many are alike."""
    for frames in (50, SMALL + 50):
        seen = {Order(frames, seed).at(epoch, 0, 50).tobytes() for seed in range(12) for epoch in range(12)}
        assert len(seen) == 144


def test_a_long_seed_does_not_run_into_the_epoch() -> None:
    """Seeds of more than 32 bits are as good as others: 2^32 + 5 in epoch 0 is not 5 in epoch 1."""
    for frames in (50, SMALL + 50):
        assert not np.array_equal(Order(frames, 2**32 + 5).at(0, 0, 50), Order(frames, 5).at(1, 0, 50))


def test_small_orders_are_uniform_over_all_permutations() -> None:
    """All 24 orders of four frames are equally frequent: chi-squared (23 d.o.f.) below its 99.9 % point."""
    counts = dict.fromkeys(permutations(range(4)), 0)
    draws = 4800
    for seed in range(draws):
        counts[tuple(Order(4, seed).at(seed % 7).tolist())] += 1
    expected = draws / 24
    assert sum((count - expected) ** 2 / expected for count in counts.values()) < 49.73


def test_large_orders_are_uniform() -> None:
    """Where a position goes is uniform over 64 equal parts, and so is the step to the next: chi-squared, 63 d.o.f."""
    frames, parts = SMALL + 4096, 64
    edges = np.linspace(0, frames, parts + 1)
    for values in (_first_frames(frames), _steps(frames)):
        counts, _ = np.histogram(values, edges)
        expected = len(values) * np.diff(np.ceil(edges)) / frames
        assert ((counts - expected) ** 2 / expected).sum() < 103.4


def _first_frames(frames: int) -> np.ndarray:
    return np.concatenate([Order(frames, seed).at(0, 1000, 1008) for seed in range(1000)])


def _steps(frames: int) -> np.ndarray:
    order = Order(frames, 5).at(9)
    return np.diff(order) % frames


@given(st.integers(1, 300), st.integers(1, 60), st.integers(1, 6), st.integers(0, 99), st.data())
def test_an_order_in_blocks_is_a_permutation(
    frames: int, block: int, mix: int, epoch: int, draw: st.DataObject
) -> None:
    """Every frame comes once, wherever the short block is, and slices put together give the whole."""
    order = Order(frames, 7, block=block, mix=mix)
    whole = order.at(epoch)
    assert np.array_equal(np.sort(whole), np.arange(frames))
    cuts = sorted(draw.draw(st.lists(st.integers(0, frames), max_size=4)))
    parts = [order.at(epoch, start, stop) for start, stop in pairwise([0, *cuts, frames])]
    assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(("frames", "block", "mix"), [(SMALL + 999, 1, SMALL + 1), (SMALL + 999, SMALL, 2), (4, 9, 1)])
def test_an_order_in_blocks_is_a_permutation_of_any_size(frames: int, block: int, mix: int) -> None:
    """Also where there are more blocks, or more frames in a window, than are permuted explicitly."""
    assert np.array_equal(np.sort(Order(frames, 7, block=block, mix=mix).at(3)), np.arange(frames))


@pytest.mark.parametrize("short", [0, 17, 99])
def test_a_window_reads_its_blocks_whole(short: int) -> None:
    """The positions of `mix` blocks are theirs to the last frame; only the window with the short block is shorter."""
    order = Order(6400 - short, seed=1, block=100, mix=8)
    whole, start, lengths = order.at(2), 0, []
    while start < order.frames:
        blocks = set((whole[start : start + 800 - short] // 100).tolist())
        length = sum(min(100, order.frames - 100 * block) for block in blocks)
        assert len(blocks) == 8
        assert set((whole[start : start + length] // 100).tolist()) == blocks
        start, lengths = start + length, [*lengths, length]
    assert sorted(lengths) == [800 - short, *[800] * 7]


def test_no_two_epochs_or_seeds_or_windows_share_an_order_in_blocks() -> None:
    """Neither that of the blocks nor that within a window."""
    orders = [Order(4000, seed, block=10, mix=20).at(epoch) for seed in range(12) for epoch in range(12)]
    windows = [window for order in orders for window in order.reshape(20, 200)]
    assert len({(order // 10).tobytes() for order in orders}) == 144
    assert len({np.argsort(np.argsort(window)).tobytes() for window in windows}) == 144 * 20


def test_orders_in_blocks_are_uniform() -> None:
    """Which block comes first, which follows on it, which frame comes where in a window: chi-squared, 63 d.o.f."""
    orders = [Order(64 * 4, seed, block=4, mix=1).at(seed % 5) // 4 for seed in range(1000)]
    windows = [Order(64 * 9, seed, block=4, mix=16).at(seed % 5)[64:128] for seed in range(1000)]
    large = SMALL + 64
    within = [Order(4 * large, seed, block=large, mix=1).at(0, 5, 9) % large for seed in range(1000)]
    assert _chi_squared(np.array([order[0] for order in orders]), 64) < 103.4
    assert _chi_squared(np.array([(order[8] - order[4]) % 64 - 1 for order in orders]), 63) < 102.2
    assert _chi_squared(np.array([(window < window[5]).sum() for window in windows]), 64) < 103.4
    assert _chi_squared(np.concatenate(within) * 64 // large, 64) < 103.4


def _chi_squared(values: np.ndarray, kinds: int) -> float:
    """Of values below `kinds` that should be equally frequent."""
    expected = len(values) / kinds
    return float(((np.bincount(values, minlength=kinds) - expected) ** 2 / expected).sum())


def test_frames_of_blocks_far_apart_are_mixed() -> None:
    """A batch of 64 frames holds some of nearly all 16 blocks of its window, as draws without order would."""
    order = Order(1_000_000, seed=0, block=4096).at(1, 0, 65536)
    held = [len(set((order[start : start + 64] // 4096).tolist())) for start in range(0, 65536, 64)]
    expected = 16 * (1 - (1 - 1 / 16) ** 64)
    assert np.mean(held) == pytest.approx(expected, abs=0.1)


def test_an_experiment_asks_for_blocks() -> None:
    """``order = "blocks"`` makes an order in blocks of 4096 frames, or as many as it says, for every kind of plan."""
    sizes = sizes_of(np.full(9, 3))
    plans = [choose(Batching(order="blocks"), sizes, 4), choose(Batching(order="blocks", block=2, atoms=9), sizes, 4)]
    assert [plan.order for plan in plans] == [Order(9, 4, block=4096), Order(9, 4, block=2)]


def test_a_billion_frames_take_no_memory() -> None:
    """Positions of an epoch of 1e9 frames are computed alone, and differ from those of the next epoch."""
    order = Order(10**9, seed=1)
    some = order.at(4, 10**9 - 1000)
    assert len(np.unique(some)) == 1000
    assert some.max() < 10**9
    assert not np.array_equal(some, order.at(5, 10**9 - 1000))


@pytest.mark.parametrize("cost", [(1.0, 0.0), (0.0, 1.0), (3.0, 0.2)])
def test_optimal_buckets_equal_brute_force(cost: tuple[float, float]) -> None:
    """The waste of the boundaries found is the least over all choices, on 400 random cases for each cost."""
    linear, quadratic = cost
    random = np.random.default_rng(7)
    for _ in range(400):
        sizes = random.integers(1, 30, size=random.integers(1, 12))
        count = int(random.integers(1, 5))
        distinct = np.unique(sizes)
        found = buckets.waste(sizes, buckets.optimal(sizes, count, linear=linear, quadratic=quadratic),
                              linear=linear, quadratic=quadratic)  # fmt: skip
        choices = (
            [*inner, distinct[-1]]
            for number in range(min(count, len(distinct)))
            for inner in combinations(distinct[:-1].tolist(), number)
        )
        least = min(buckets.waste(sizes, choice, linear=linear, quadratic=quadratic) for choice in choices)
        assert found == pytest.approx(least, abs=1e-12)


@pytest.mark.parametrize(("length", "bucket"), [(1, 0), (10, 0), (11, 1), (20, 1)])
def test_boundaries_are_inclusive(length: int, bucket: int) -> None:
    """A frame as long as a boundary belongs below it."""
    assert buckets.assign([length], [10, 20]).tolist() == [bucket]


@given(lengths, st.integers(1, 6))
def test_equal_counts_reach_the_longest(sizes: np.ndarray, count: int) -> None:
    """The boundaries ascend, hold every frame, and are at most as many as asked for."""
    bounds = buckets.equal_counts(sizes, count)
    assert bounds[-1] == sizes.max()
    assert (np.diff(bounds) > 0).all()
    assert len(bounds) <= count


@given(lengths, st.integers(0, 40))
def test_packing_holds_every_frame_once_within_the_budget(sizes: np.ndarray, extra: int) -> None:
    """Both ways to pack keep every frame, and no batch is above any of its budgets."""
    wanted = np.stack([sizes, dense_pairs(sizes), np.ones_like(sizes)], axis=1)
    budget = wanted.max(axis=0) + np.array([extra, extra * 20, 3])
    for pack in (packing.consecutive, packing.first_fit_decreasing):
        packed = pack(wanted, budget)
        assert sorted(np.concatenate(packed).tolist()) == list(range(len(sizes)))
        assert all((wanted[frames].sum(axis=0) <= budget).all() for frames in packed)


def test_consecutive_packing_keeps_the_order_where_it_is_full_anyway() -> None:
    """Frames of one size stay where they are, also where another axis than that of sizes ends a batch."""
    assert [packed.tolist() for packed in packing.consecutive([2, 2, 2, 2, 2], 4)] == [[0, 1], [2, 3], [4]]
    packed = packing.consecutive([[9, 1], [1, 1], [5, 1]], [20, 2])
    assert [frames.tolist() for frames in packed] == [[0, 1], [2]]


@pytest.mark.parametrize("pairs", [False, True])
def test_consecutive_packing_leaves_hardly_a_slot(pairs: bool) -> None:
    """Molecules of 10 to 29 atoms into 1024: at most 0.5 % of the slots of all batches but the last are left."""
    atoms = np.random.default_rng(5).integers(10, 30, 10_000)
    wanted = np.stack([atoms, dense_pairs(atoms)], axis=1) if pairs else atoms
    *full, _ = packing.consecutive(wanted, [1024, 22_000] if pairs else 1024)
    assert 1 - sum(int(atoms[frames].sum()) for frames in full) / (1024 * len(full)) <= 0.005


@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_consecutive_packing_fits_axes_that_have_nothing_to_do_with_each_other(seed: int, frames: int) -> None:
    """Whatever is exchanged fits along every axis, also where the larger one along one is the smaller along another."""
    wanted = np.random.default_rng(seed).integers(0, 50, (frames, 3))
    for budget in ([50, 120, 400], [200, 60, 90]):
        packed = packing.consecutive(wanted, budget)
        assert sorted(np.concatenate(packed).tolist()) == list(range(frames))
        assert all((wanted[chosen].sum(axis=0) <= budget).all() and len(chosen) for chosen in packed)


@pytest.mark.parametrize(("largest", "budget"), [(30, 1024), (110, 256), (500, 1995)])
def test_consecutive_packing_takes_few_batches(largest: int, budget: int) -> None:
    """At most 2 % and one batch more than if frames could be cut in two, whether they are 300 or 10 000."""
    rng = np.random.default_rng(7)
    for frames in (300, 10_000):
        sizes = rng.integers(largest // 3, largest, frames)
        assert len(packing.consecutive(sizes, budget)) <= 1.02 * int(sizes.sum()) / budget + 1


def test_consecutive_packing_leaves_frames_about_where_they_were() -> None:
    """Few frames are moved by more than a 32nd of all, and those of a batch are of as many sizes as all are."""
    sizes = np.random.default_rng(8).integers(10, 30, 16_384)
    packed = packing.consecutive(sizes, 1024)
    away = np.abs(np.concatenate(packed) - np.arange(len(sizes)))
    assert np.mean(away > len(sizes) / 32) <= 0.04
    assert np.mean([sizes[chosen].std() for chosen in packed]) >= 0.9 * sizes.std()


@settings(deadline=None)
@given(lengths, st.integers(1, 4), st.integers(0, 5))
def test_a_plan_holds_every_frame_once_in_its_own_shapes(sizes: np.ndarray, group: int, epoch: int) -> None:
    """Each epoch of each plan has every frame once, fits its shapes, uses no others, in groups of one shape."""
    for name, plan in plans(sizes_of(sizes), group=group).items():
        batches = list(plan.batches(epoch))
        taken = np.concatenate([batch.frames for batch in batches])
        assert sorted(taken.tolist()) == list(range(len(sizes))), name
        for start in range(0, len(batches), group):
            assert len({batch.shape for batch in batches[start : start + group]}) == 1, name
        assert len(batches) % group == 0, name
        for frames, shape in batches:
            assert shape in plan.shapes, name
            assert len(frames) <= shape.frames, name
            if shape.per_frame:
                assert plan.sizes.longest("atoms", frames) <= shape.per_frame, name
            assert sizes[frames].sum() <= shape.atoms, name
            assert not shape.pairs or dense_pairs(sizes[frames]).sum() <= shape.pairs, name


@pytest.mark.parametrize("name", list(plans(sizes_of(np.arange(1, 9)))))
def test_a_plan_is_the_same_for_the_same_seed_and_epoch_and_no_other(name: str) -> None:
    """Deterministic from the seed, shuffled anew each epoch and for each seed."""
    sizes = sizes_of(np.random.default_rng(0).integers(1, 30, 200))

    def epoch(seed: int, number: int) -> list[list[int]]:
        return [batch.frames.tolist() for batch in plans(sizes, seed=seed)[name].batches(number)]

    assert epoch(1, 0) == epoch(1, 0)
    assert epoch(1, 0) != epoch(1, 1)
    assert epoch(1, 1) != epoch(2, 0)


@pytest.mark.parametrize("name", list(plans(sizes_of(np.arange(1, 9)))))
@pytest.mark.parametrize("stopped_after", [0, 1, 3, 7, 11])
def test_a_stream_goes_on_exactly_on_other_hosts(name: str, stopped_after: int) -> None:
    """Stopped on one host, resumed on four, stopped, resumed on two: every step is that of the whole stream."""
    sizes = sizes_of(np.random.default_rng(1).integers(1, 30, 150))
    plan = plans(sizes, group=4)[name]
    whole = _steps_of(Stream(plan), 60)
    position, seen = Position(), []
    for hosts, count in ((1, stopped_after), (4, 5), (2, 60 - 5 - stopped_after)):
        streams = [Stream(plan, position, host=host, hosts=hosts) for host in range(hosts)]
        parts = [_steps_of(stream, count) for stream in streams]
        seen += [_together(step, hosts) for step in zip(*parts, strict=True)]
        position = Position.of(json.loads(json.dumps(streams[0].position.state())))
    assert seen == whole


def _steps_of(stream: Stream, count: int) -> list[list[list[int]]]:
    steps: list[list[list[int]]] = []
    while len(steps) < count:
        for step in stream.epoch():
            steps.append([batch.frames.tolist() for batch in step])
            if len(steps) == count:
                break
    return steps


def _together(parts: tuple[list[list[int]], ...], hosts: int) -> list[list[int]]:
    return [parts[place % hosts][place // hosts] for place in range(hosts * len(parts[0]))]


def test_hosts_see_equal_shapes() -> None:
    """At every step the batches of all hosts have one shape."""
    sizes = sizes_of(np.random.default_rng(2).integers(1, 30, 150))
    for name, plan in plans(sizes, group=4).items():
        shares = [Stream(plan, host=host, hosts=4).epoch() for host in range(4)]
        for step in zip(*shares, strict=True):
            assert len({batch.shape for batches in step for batch in batches}) == 1, name


def test_the_position_is_small() -> None:
    """What a checkpoint keeps of the stream is below 200 bytes, also far into a billion frames."""
    assert len(json.dumps(Position(10**6, 10**9, 10**9).state())) < 200


def test_waste_counts_what_is_padded() -> None:
    """Three frames of 1, 2 and 3 atoms in batches of two: 6 of 12 atom slots, 8 of 24 pairs, 3 of 4 frames are real."""
    atoms = np.array([1, 2, 3])
    waste = FixedPlan(sizes_of(atoms), Order(3, 0), 2).waste()
    assert (waste.batches, waste.shapes) == (2, 1)
    assert (waste.atoms, waste.pairs, waste.frames) == pytest.approx((0.5, 1 - 8 / 24, 0.25))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda s, o: FixedPlan(s, o, 0), "their size is 0"),
        (lambda s, o: FixedPlan(s, o, 1 << 31), "their size is 2147483648. Give at most 2147483647"),
        (lambda s, o: PackedPlan(s, o, Shape(4, 10**20)), f"their size is {10**20}"),
        (lambda s, o: FixedPlan(s, o, 2, num_atoms=5), "frame 1 has 9 atoms and num_atoms is 5"),
        (lambda s, o: BucketPlan(s, o, (3, 5), batch_size=2), "frame 1 has 9 atoms and the largest bucket holds 5"),
        (lambda s, o: BucketPlan(s, o, (9, 3), batch_size=2), "do not ascend"),
        (lambda s, o: BucketPlan(s, o, (9,), atoms=8), "the largest bucket holds 9 atoms and a batch 8"),
        (lambda s, o: PackedPlan(s, o, Shape(4, 8)), "frame 1 takes 9 and the budget is 8"),
        (lambda s, o: PackedPlan(s, o, Shape(4, 9, 50)), "a budget of pairs is given and no count of them"),
        (lambda s, o: FixedPlan(s, Order(5, 0), 2), "the order is of 5 frames and there are 2"),
        (lambda s, o: Order(2, 0, block=-1), "blocks of -1 frames are to be mixed 16 at a time"),
        (lambda s, o: Order(2, 0, block=3, mix=0), "blocks of 3 frames are to be mixed 0 at a time"),
        (lambda s, o: Stream(FixedPlan(s, o, 2, group=4), hosts=3), "host 0 of 3"),
        (lambda s, o: buckets.optimal([], 2), "there are none"),
        (lambda s, o: buckets.optimal([1], 0), "0 were asked for"),
        (lambda s, o: buckets.optimal([1], 1, linear=0), "is no cost"),
    ],
)
def test_what_does_not_fit_is_told(make: object, says: str) -> None:
    """Frames above a bucket, a budget or the slots, and numbers that make no plan."""
    with pytest.raises((ConfigError, DataError)) as told:
        make(Sizes(np.array([2, 9])), Order(2, 0))  # type: ignore[operator]  # a lambda of the table above
    assert says in str(told.value)


def test_real_proteins_pack_as_measured(shared_data: Path) -> None:
    """ATLAS, 50-500 residues: 26.65 % in three optimal buckets; packed into four longest chains at most 2 % / 5 %."""
    rows = (shared_data / "lengths" / "atlas_lengths.csv").read_text().split()[1:]
    chains = np.array([int(row.split(",")[1]) for row in rows])
    chains = chains[(chains >= 50) & (chains <= 500)]
    budget = int(np.sort(chains)[-4:].sum())
    assert buckets.waste(chains, buckets.optimal(chains, 3)) <= 0.2665
    decreasing = packing.first_fit_decreasing(chains, budget)
    assert 1 - chains.sum() / (len(decreasing) * budget) <= 0.02
    plan = PackedPlan(Sizes(chains), Order(len(chains), 4), Shape(32, budget))
    assert max(plan.waste(epoch).atoms for epoch in range(5)) <= 0.05
