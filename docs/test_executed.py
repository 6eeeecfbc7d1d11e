"""The code on the pages is really run, and a page that is wrong fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.executed import blocks, enter, leave
from sybil import Sybil

RIGHT = {
    "python keeps names": "```python\na = 1\n```\n```python\nassert a == 1\n```\n",
    "prompts compare": "```python\n>>> 1 + 1\n2\n```\n",
    "output of the block before": "```python\nprint('x')\n```\n<!-- output -->\n```text\nx\n```\n",
    "console with ellipsis": "```console\n$ echo one; echo two; echo three\none\n...\nthree\n```\n",
    "console keeps its folder": "```console\n$ mkdir a && cd a\n$ basename $PWD\na\n```\n",
    "console goes on after a backslash": "```console\n$ echo a \\\n  b\na b\n```\n",
    "console has no stdin": "```console\n$ cat\n```\n",
    "exit code": "<!-- exit: 3 -->\n```console\n$ echo no >&2; (exit 3)\nno\n```\n",
    "file": "<!-- file: a/b.txt -->\n```toml\nx = 1\n```\n```console\n$ cat a/b.txt\nx = 1\n```\n",
    "reason": "<!-- not run: it needs a GPU -->\n```bash\nfalse\n```\n",
    "text": "```text\nanything\n```\n```mermaid\nflowchart LR\n```\n",
    "directive": "```{toctree}\nindex\n```\n```{code-block} python\nassert True\n```\n",
}
WRONG = {
    "python raises": "```python\n1 / 0\n```\n",
    "prompts differ": "```python\n>>> 1 + 1\n3\n```\n",
    "output differs": "```python\nprint('x')\n```\n<!-- output -->\n```text\ny\n```\n",
    "console differs": "```console\n$ echo one\ntwo\n```\n",
    "console says too much": "```console\n$ echo one\n```\n",
    "console fails": "```console\n$ false\n```\n",
    "console fails before the last": "<!-- exit: 1 -->\n```console\n$ false\n$ false\n```\n",
    "console without a command": "```console\necho one\n```\n",
    "bash gives up": "```console\n$ if\n```\n",
    "unknown language": "```bash\ntrue\n```\n",
    "no reason": "<!-- not run: -->\n```bash\nfalse\n```\n",
    "toml is wrong": "```toml\nx =\n```\n",
    "code hidden in a directive": "````{note}\n```python\n1 / 0\n```\n````\n",
}


def failures(text: str, folder: Path) -> list[str]:
    """How each block of a page failed, of those that did."""
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    try:
        document = Sybil(parsers=[blocks], path=str(folder)).parse(page)
        enter(document.namespace)
        try:
            for example in document.examples():
                example.evaluate()
        finally:
            leave(document.namespace)
    except Exception as error:  # of any kind: a page fails in as many ways as Python does
        return [str(error) or repr(error)]
    return []


@pytest.mark.parametrize("page", RIGHT.values(), ids=RIGHT)
def test_right_pages_pass(page: str, tmp_path: Path) -> None:
    """A page whose blocks do what they show passes."""
    assert failures(page, tmp_path) == []


@pytest.mark.parametrize("page", WRONG.values(), ids=WRONG)
def test_wrong_pages_fail(page: str, tmp_path: Path) -> None:
    """A page with a block that fails, differs or hides fails, and says something about it."""
    assert failures(page, tmp_path)
