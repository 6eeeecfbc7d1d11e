"""Everything that is wrong in an experiment file is told with path, line, key and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atomloom.errors import ConfigError
from atomloom.experiment import InFile, load, loads
from atomloom.experiment.text import LARGEST

GOOD = """\
[[data.source]]
path = "dimers.npz"
reader = "npz"
[model]
name = "ridge"
"""
"""Five lines; what a test appends begins on line 6."""

EVERYTHING = (
    GOOD
    + """\
options = { keep = [1, 2.5, true], since = 2026-11-21 }
[data.split]
train = 0.8
[batching]
batch_size = 3
order = 'file'
[losses]
E = 1
[training]
notes = '''
text'''
"""
)

SCRAPS = ["]", "[[", '"', "= {", "\n[model]\n", " = nan", "[]", "{}", "true", "1e400", "\n", "0x", "a.b", "#"]


def refusal(text: str) -> str:
    """What is said about the file ``exp.toml`` that holds `text`; empty if it is read."""
    try:
        loads(text, "exp.toml")
    except ConfigError as error:
        return str(error)
    return ""


def complaint(text: str) -> str:
    """`refusal` of a text that has to be refused, without the words that all begin with."""
    asked, _, told = refusal(text).partition(": ")
    assert asked == "Cannot use the experiment"
    return told


SYNTAX = {
    "path = dimers.npz": ('Invalid value, in `path = dimers.npz`. Text goes in quotes: "...".', 1),
    "[model]\nema = True": ("Invalid value, in `ema = True`. TOML writes true and false in small letters.", 2),
    "[model]\nema = None": ("Invalid value, in `ema = None`. TOML has no such value; leave the key out.", 2),
    "lr = .5": ("Invalid value, in `lr = .5`. A number needs digits on both sides of its point.", 1),
    "name =": ("Invalid value, in `name =`. Give the key a value.", 1),
    "name == 3": ("Invalid value, in `name == 3`. TOML writes `key = value` with one equals sign.", 1),
    '{"data": 1}': ('`{"data": 1}`. This looks like JSON; TOML writes `key = value` below `[table]`.', 1),
    "data:\n  x: 1": ("in `data:`. TOML writes `key = value` with an equals sign.", 1),
    'path = "C:\\data"': ("`path = \"C:\\data\"`. Put text with backslashes in single quotes: 'C:\\data'.", 1),
    'path = "C:\\Users"': ("Put text with backslashes in single quotes: 'C:\\data'.", 1),
    'title = "abc\n': ('in `title = "abc`. Close the quotes before the end of the line.', 1),
    "a = 1\na = 2": ("Cannot overwrite a value, in `a = 2`. Give each key once.", 2),
    "[a.b]\n[a.b]": ("Cannot declare [a.b] twice, in `[a.b]`. Give each table once;", 2),
    "x = [1,\n2": ("Close the bracket or the quotes.", 2),
    "seed = 007": ("in `seed = 007`. A number must not begin with 0, and text goes in quotes.", 1),
    f"\nseed = {'9' * 5000}": ("a number has too many digits. It has to fit into 64 bits.", 2),
    'title = "\x1b[2J"': ('in `title = "\\x1b[2J"`. Remove it.', 1),
}


@pytest.mark.parametrize("text", SYNTAX, ids=lambda text: text[:20])
def test_syntax_errors_show_the_line_and_a_way_out(text: str) -> None:
    """What is no TOML is answered with its line and what people mostly meant there."""
    expected, line = SYNTAX[text]
    message = complaint(text)
    assert message.startswith(f"exp.toml:{line}: ")
    assert expected in message


VALUES = {
    "[batching]\nbatchsize = 3": (7, "`batching.batchsize` is not a known key. The nearest known key is `batch_size`."),
    "[trainig]\nlr = 1": (6, "`trainig` is not a known key. The nearest known key is `training`."),
    "[training]\n[split]\ntrain = 1": (7, "`split` is not a known key. It belongs to [data]."),
    "[batching]\nreader = 'npz'": (7, "`batching.reader` is not a known key. It belongs to [[data.source]]."),
    "[batching]\nfoo = 1": (
        7,
        "`batching.foo` is not a known key. Known keys are `batch_size`, `atoms`, `order`, `block`, `num_atoms`, "
        "`buckets`.",
    ),
    '[batching]\nbatch_size = "32"': (
        7,
        '`batching.batch_size` is "32". It has to be a whole number of at least 1; leave out the quotes.',
    ),
    "[batching]\natoms = true": (7, "`batching.atoms` is true. It has to be a whole number of at least 1."),
    "[batching]\nnum_atoms = 2.5": (7, "`batching.num_atoms` is 2.5. It has to be a whole number of at least 1."),
    "[batching]\norder = 'interleave'": (
        7,
        '`batching.order` is "interleave". It has to be one of "blocks", "file", "interleaved", "sequential", '
        '"shuffled"; the nearest is "interleaved".',
    ),
    "[batching]\norder = 'blocks'\nbuckets = 3": (
        7,
        '`batching.order` is "blocks" and there are buckets. Leave out one of them: a bucket takes its frames from all '
        "over the data.",
    ),
    "[batching]\nblock = 512": (
        7,
        '`batching.block` is given and `order` is "shuffled". Leave it out, or set `order` to "blocks".',
    ),
    "[batching]\nbatch_size = 3\natoms = 4": (
        8,
        "`batching.atoms` and `batch_size` exclude each other. Keep one of them.",
    ),
    "[batching]\nnum_atoms = 60\natoms = 4": (
        8,
        "`batching.atoms` is 4, less than a single frame of `num_atoms` = 60. Raise it, or lower `num_atoms`.",
    ),
    "[losses]\nE = 1\nF = -1": (8, "`losses.F` is -1. It has to be a number of at least 0."),
    "[losses]\nE = nan": (7, "`losses.E` is nan. It has to be a finite number."),
    "[losses]\nE = inf": (7, "`losses.E` is inf. It has to be a finite number."),
    "[losses]\nE = 0": (6, "`losses` has no weight above 0. Give one that the training can lower."),
    "[training]\nlr = [\n1.0,\nnan]": (9, "`training.lr[1]` is nan. It has to be a finite number."),
    f"[training]\nx = {2**63}": (7, f"`training.x` is {2**63}. It has to fit into 64 bits."),
    "[data.split]\ntrain = 800": (
        7,
        "`data.split.train` is 800. It has to be a number from 0 to 1 or non-empty text.",
    ),
    "[data.split]\ntrain = 0.8\nvalid = 0.2\ntest = 0.1": (
        6,
        "`data.split` has fractions of 0.8 + 0.2 + 0.1 = 1.1. They may add up to 1 at most.",
    ),
    "[data.split]\nvalid = 0.1\ntrain = 0": (
        8,
        "`data.split.train` is 0. Give the fraction to train on, such as 0.8.",
    ),
    "[data.split]\nfield = 'f'\nvalid = 0.1": (
        8,
        "`data.split.valid` and `field` exclude each other. Keep one of them.",
    ),
    "[data.split]\ngroup = 'f'\nblocks = 4": (
        8,
        "`data.split.blocks` and `group` exclude each other. Keep one of them.",
    ),
    "[data.split]\ntrain = 'a.npy'\nvalid = 0.1": (
        8,
        "`data.split.valid` is a fraction, and `train` is a file. Give files for all parts or none.",
    ),
    "[data.split]\ntest = 'a.npy'": (
        6,
        "`data.split.train` is missing. Give the file with the indices to train on.",
    ),
    "[data.split]\nblocks = 2": (
        7,
        "`data.split.blocks` is 2, too few for train, valid, test. Give each part a block at least.",
    ),
    "[data.split]\nseed = -1": (7, "`data.split.seed` is -1. It has to be a whole number of at least 0."),
    "[[losses]]\nE = 1": (6, "`losses` is [a table]. It has to be a table; write [losses] with one bracket."),
}


@pytest.mark.parametrize("text", VALUES)
def test_wrong_values_are_told_with_their_line(text: str) -> None:
    """Key, what was found, what is expected: one sentence each, with the line in front."""
    line, expected = VALUES[text]
    assert complaint(GOOD + text) == f"exp.toml:{line}: {expected}"


REPLACED = {
    ('reader = "npz"', 'raeder = "npz"'): "exp.toml:3: `data.source[0].raeder` is not a known key. The nearest known "
    "key is `reader`.",
    ('reader = "npz"', ""): "exp.toml:1: `data.source[0].reader` is missing. Give non-empty text: name of the reader, "
    "which `atomloom inspect PATH` suggests.",
    ('reader = "npz"', 'reader = "npz"\nunit = "E=eV"'): 'exp.toml:4: `data.source[0].unit` is "E=eV". It has to be a '
    "table; write { KEY = VALUE }.",
    ('reader = "npz"', 'reader = "npz"\nas.Q = 1'): "exp.toml:4: `data.source[0].as.Q` is 1. It has to be text; put it "
    "in quotes.",
    ('"dimers.npz"', '[\n"a.npz",\n3]'): "exp.toml:4: `data.source[0].path[1]` is 3. It has to be non-empty text; "
    "put it in quotes.",
    ("[[data.source]]", "[data.source]"): "exp.toml:1: `data.source` is a table. It has to be one or more tables; "
    "write [[data.source]] with two brackets.",
    ('name = "ridge"', ""): "exp.toml:4: `model.name` is missing. Give the name of a model; `atomloom plugins` lists "
    "them.",
    ('"ridge"', "5"): "exp.toml:5: `model.name` is 5. It has to be the name of a model; `atomloom plugins` lists them.",
    ('[model]\nname = "ridge"', ""): "exp.toml:1: `model` is missing. Give a table: name of the model and its options.",
    ('[model]\nname = "ridge"\n', ""): "exp.toml:1: `model` is missing. Give a table: name of the model and its "
    "options.",
}


@pytest.mark.parametrize("change", REPLACED, ids=lambda change: change[1][:20])
def test_damage_to_what_is_required_is_told(change: tuple[str, str]) -> None:
    """Missing and misspelt keys of sources and models are told at the table that lacks them."""
    assert complaint(GOOD.replace(*change)) == REPLACED[change]


def test_all_mistakes_come_at_once() -> None:
    """Several mistakes are listed in the order of their lines, with the first five in full."""
    text = "num_epochs = 3\n" + GOOD + "[losses]\n" + "".join(f"l{index} = -1\n" for index in range(6))
    first, *others = complaint(text).split("\n")
    assert first == "7 things are wrong. Correct these (5 are shown):"
    assert [line.split("`")[0] for line in others] == [f"  exp.toml:{line}: " for line in (1, 8, 9, 10, 11)]


def test_a_file_of_nothing_but_mistakes_is_not_counted_out() -> None:
    """A file with more mistakes than anybody reads is answered without going through them all."""
    text = GOOD + "[batching]\n" + "".join(f"key{index} = 1\n" for index in range(20_000))
    assert complaint(text).startswith("more than 99 things are wrong. Correct these (5 are shown):\n")


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing here\n"])
def test_an_empty_file_is_answered_with_what_it_needs(text: str) -> None:
    """Emptiness is named, not answered with a list of missing keys."""
    message = complaint(text)
    assert message.startswith("'exp.toml' ")
    assert message.endswith("It needs a [[data.source]] with path and reader, and a [model] with name.")


DEEP = ("x = " + "[" * 100_000, f"{GOOD}x = {'[' * 480}{']' * 480}", "x" + ".a" * 5_000 + " = 1")


@pytest.mark.parametrize("text", DEEP, ids=["open", "closed", "dotted"])
def test_brackets_without_end_are_refused(text: str) -> None:
    """Nesting deeper than the interpreter's stack is bad input, not a crash."""
    assert complaint(text)


FILES = {
    "npz": (b"PK\x03\x04\x00\xff", "is not text. An experiment is a text file in TOML; `atomloom inspect` reads data"),
    "latin": ("# a\n# Müller\n".encode("latin-1"), ":2: byte 0xfc is not UTF-8. Save the file as UTF-8."),
    "utf-16": (GOOD.encode("utf-16"), "is not text. An experiment is a text file in TOML;"),
    "huge": (b"#" * (LARGEST + 1), "is larger than 1 MB. An experiment is a text file in TOML;"),
}


@pytest.mark.parametrize("name", FILES)
def test_other_kinds_of_files_are_recognised(tmp_path: Path, name: str) -> None:
    """Binary, wrongly encoded and huge files are refused for what they are."""
    content, expected = FILES[name]
    path = tmp_path / "exp.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)


def test_a_missing_file_is_answered_with_its_neighbours(tmp_path: Path) -> None:
    """The nearest names in the folder are offered, or its TOML files; a missing folder is named."""
    (tmp_path / "dimers.toml").write_text(GOOD)
    for name, expected in {
        "dimer.toml": "Nearest in that folder: dimers.toml.",
        "zzz": "Nearest in that folder: dimers.toml.",
        "no/dimers.toml": f"Check the path; there is no folder '{tmp_path / 'no'}' either.",
    }.items():
        with pytest.raises(ConfigError, match="there is no file") as caught:
            load(tmp_path / name)
        assert str(caught.value).endswith(expected)


def test_a_folder_is_answered_with_the_files_in_it(tmp_path: Path) -> None:
    """A folder is no experiment, but may hold one."""
    (tmp_path / "dimers.toml").write_text(GOOD)
    with pytest.raises(ConfigError, match=r"is a folder. Name the file, such as .*dimers\.toml\."):
        load(tmp_path)


def test_a_path_that_is_none_is_refused() -> None:
    """A path with a null byte is bad input."""
    with pytest.raises(ConfigError, match=r"cannot be read: .* Check the path"):
        load("a\0b")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(EVERYTHING)), st.integers(0, 12), st.text(max_size=5) | st.sampled_from(SCRAPS))
def test_no_damage_is_a_crash(start: int, length: int, scrap: str) -> None:
    """Whatever is cut from a file or put into it, the file is read or refused with a message of three parts."""
    outcome = refusal(EVERYTHING[:start] + scrap + EVERYTHING[start + length :])
    assert not outcome or "exp.toml" in outcome


def test_windows_files_are_read() -> None:
    """Windows line ends disturb neither values nor line numbers."""
    assert loads(GOOD.replace("\n", "\r\n")) == loads(GOOD)
    assert complaint((GOOD + "bad.x = nan\n").replace("\n", "\r\n")).startswith("exp.toml:6: `model.bad.x` is nan")


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    """Editors on Windows put one before UTF-8 text."""
    (tmp_path / "exp.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(tmp_path / "exp.toml") == loads(GOOD)


def test_a_message_survives_its_file(tmp_path: Path) -> None:
    """If the file is gone by the time of a message, the message does without the line."""
    assert InFile(tmp_path / "gone.toml", ("training",)).at(("lr",)) == f"{tmp_path / 'gone.toml'}: `training.lr`"
