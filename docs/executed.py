"""Every code block of the pages and READMEs, run as a test: ``python -m pytest -p docs.executed docs README.md``.

The blocks of a document run in order, in a temporary folder and with one Python namespace of its own:

- ``python`` runs; with ``>>>`` prompts its output is compared as by doctest.
- ``console`` runs each line behind ``$ `` with bash, stdin closed, and compares what follows with its output; ``...``
  stands for anything. A line that ends in a backslash goes on in the next. Every command has to succeed.
  pip installs what stands in the folder, without a network, to where the document's other commands find it.
- ``toml`` and ``json`` have to parse; ``text``, ``mermaid`` and ``bibtex`` are left alone.

A comment above a block changes that::

    <!-- not run: it needs a GPU -->     the reason is obligatory
    <!-- file: reader.py -->             the block is written to this file of the folder
    <!-- exit: 2 -->                     the last command of the block has to end with this code
    <!-- output -->                      the block is what the python block before it prints
"""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sybil import Document, Example, Region, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.region import Lexeme

FENCE = re.compile(
    r"(?:^[ \t]*<!--(?P<note>(?:(?!-->).)*)-->\s*\n)?"
    r"^[ \t]*(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<source>.*?)^[ \t]*(?P=fence)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
NOTE = re.compile(r"\s*(?P<key>not run|file|exit|output)\b:?\s*(?P<value>.*)", re.DOTALL)
BESIDE_A_CODE = "\x1e"
SECONDS = 900
ELLIPSIS = doctest.ELLIPSIS | doctest.REPORT_NDIFF
INSTALLED = ".installed"
PIP = {"NO_DEPS": "1", "NO_BUILD_ISOLATION": "0", "NO_INDEX": "1", "UPGRADE": "1", "QUIET": "1",
       "DISABLE_PIP_VERSION_CHECK": "1", "ROOT_USER_ACTION": "ignore"}  # fmt: skip
"""Options of pip as it reads them; for historical reasons NO_BUILD_ISOLATION = 0 switches the isolation off."""


class Block(NamedTuple):
    """A fenced block: its language, its text, and the comment above it as a key and a value."""

    language: str
    source: Lexeme
    key: str
    value: str


def blocks(document: Document) -> Iterator[Region]:
    """The code blocks of a page; directives other than ``{code-block}`` are none."""
    for match in FENCE.finditer(document.text):
        directive, _, argument = match["info"].strip().partition(" ")
        if directive.startswith("{") and directive != "{code-block}":
            if "```" in match["source"]:
                raise ValueError(f"{document.path}: write {directive} with ::: for its code blocks to be found")
            continue
        note = NOTE.match(match["note"] or "")
        source = Lexeme(textwrap.dedent(match["source"]), match.start("source"), 0)
        language = argument.strip() if directive == "{code-block}" else directive
        block = Block(language, source, *(note.group("key", "value") if note else ("", "")))
        yield Region(match.start("fence"), match.end(), block, run)


def run(example: Example) -> str | None:
    """Run one block; what it returns is how it failed."""
    block: Block = example.parsed
    folder = Path(example.namespace["__folder__"])
    if block.key == "not run":
        return None if block.value.strip() else "A block that is not run needs a reason: <!-- not run: REASON -->"
    if block.key == "file":
        target = folder / block.value.strip()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.source, encoding="utf-8")
        return None
    if block.key == "output":
        return difference(block.source, example.namespace["__printed__"])
    if block.language == "console":
        return console(block, folder)
    if block.language not in LANGUAGES:
        return f"Nothing runs {block.language!r} blocks; give the reason: <!-- not run: REASON -->"
    return LANGUAGES[block.language](example)


def python(example: Example) -> str | None:
    """Run statements, or compare an interactive session with what it shows."""
    source: Lexeme = example.parsed.source
    if source.startswith(">>>"):
        return session(source, example)
    printed = io.StringIO()
    example.parsed = source
    with contextlib.redirect_stdout(printed):
        PythonEvaluator()(example)
    example.namespace["__printed__"] = printed.getvalue()
    return None


def session(source: str, example: Example) -> str | None:
    """Run a block with prompts as doctest does, in the namespace of its document."""
    test = doctest.DocTestParser().get_doctest(source, {}, Path(example.path).name, example.path, example.line)
    test.globs = example.namespace
    report = io.StringIO()
    runner = doctest.DocTestRunner(optionflags=ELLIPSIS)
    return report.getvalue() if runner.run(test, out=report.write, clear_globs=False).failed else None


def console(block: Block, folder: Path) -> str | None:
    """Run the commands of a block in one bash and compare what each prints."""
    commands = transcript(block.source)
    script = "".join(f"{command}\nprintf '\\036%s\\036' \"$?\"\n" for command, _ in commands)
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=folder, env=environment(folder), text=True, timeout=SECONDS, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said = ran.stdout.split(BESIDE_A_CODE)
    if len(said) != 2 * len(commands) + 1:
        return f"bash gave up:\n{ran.stdout}"
    codes = [0] * (len(commands) - 1) + [int(block.value) if block.key == "exit" else 0]
    for (command, expected), output, code, wanted in zip(commands, said[::2], said[1::2], codes, strict=False):
        if int(code) != wanted:
            return f"$ {command}\nended with exit code {code} and not {wanted}:\n{output}"
        if wrong := difference(expected, output):
            return f"$ {command}\n{wrong}"
    return None


def environment(folder: Path) -> dict[str, str]:
    """Variables for the commands of a document: plain output, its interpreter first, and a place of its own for pip."""
    plain = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    place = str(folder / INSTALLED)
    pip = {f"PIP_{name}": value for name, value in PIP.items()}
    return {**os.environ, **plain, **pip, "PATH": path, "PIP_TARGET": place, "PYTHONPATH": place}


def transcript(source: str) -> list[tuple[str, str]]:
    """Commands with the output that is shown below each.

    >>> transcript("$ echo a \\\\\\n  b\\na b\\n$ true\\n")
    [('echo a \\\\\\n  b', 'a b\\n'), ('true', '')]
    """
    parts = re.split(r"^\$ ((?:[^\n]*\\\n)*[^\n]*)\n", source, flags=re.MULTILINE)
    if parts[0].strip():
        raise ValueError(f"a console block starts with '$ COMMAND', and not with {parts[0]!r}")
    return list(zip(parts[1::2], parts[2::2], strict=True))


def difference(expected: str, printed: str) -> str | None:
    """What differs, or None; blank ends of lines and of the whole do not count."""
    want, got = ("\n".join(line.rstrip() for line in text.strip("\n").splitlines()) for text in (expected, printed))
    checker, shown = doctest.OutputChecker(), doctest.Example("", want + "\n")
    if want.strip() == got.strip() or checker.check_output(want + "\n", got + "\n", ELLIPSIS):
        return None
    return checker.output_difference(shown, got + "\n", doctest.ELLIPSIS)


def parses(parse: Callable[[str], Any]) -> Callable[[Example], None]:
    """A runner for a language that is data: its blocks have to parse."""

    def check(example: Example) -> None:
        parse(example.parsed.source)

    return check


LANGUAGES: dict[str, Callable[[Example], str | None]] = {
    "python": python,
    "pycon": python,
    "toml": parses(tomllib.loads),
    "json": parses(json.loads),
    **dict.fromkeys(("", "text", "mermaid", "bibtex"), parses(str)),
}


def enter(namespace: dict[str, Any]) -> None:
    """Give a document its folder."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="atomloom-docs-"))
        stack.enter_context(contextlib.chdir(folder))
        namespace.update(__name__="__main__", __folder__=folder, __printed__="", __leave__=stack.pop_all())


def leave(namespace: dict[str, Any]) -> None:
    """Remove the folder of a document."""
    namespace["__leave__"].close()


pytest_collect_file = Sybil(
    parsers=[blocks],
    patterns=["README.md", "*/README.md", "docs/*.md", "docs/plugins/*.md"],
    path=str(Path(__file__).parent.parent),
    setup=enter,
    teardown=leave,
).pytest()
