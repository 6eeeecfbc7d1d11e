"""The checks of the conformance kit, by what they promise."""

from __future__ import annotations

from atomloom.registry.contributions import SINGULAR
from atomloom.testing.check import PLUGIN, Check
from atomloom.testing.checks import CHECKS
from atomloom.testing.subject import EXAMPLES

from .markdown import code, table


def all_checks(_: str) -> str:
    """One section for each kind of contribution, with its example and its checks."""
    kinds = dict.fromkeys(check.kind for check in CHECKS)
    return "\n".join(_section(kind, [check for check in CHECKS if check.kind == kind]) for kind in kinds)


def _section(kind: str, checks: list[Check]) -> str:
    title = "The plugin as a whole" if kind == PLUGIN else f"Each {SINGULAR[kind]}"
    example = f"Its example is `{EXAMPLES[kind]}`.\n\n" if kind in EXAMPLES else ""
    rows = [(code(check.name), check.promise, check.group) for check in checks]
    return f"### {title}\n\n{example}{table(('check', 'what it promises', 'by what it'), rows)}"
