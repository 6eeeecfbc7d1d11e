"""What a plugin declares as a whole."""

from __future__ import annotations

import subprocess
import sys

from atomloom.errors import UnitError
from atomloom.registry import KINDS, Contribution
from atomloom.registry.records import CORE
from atomloom.specs import API, UNRESOLVED, Field
from atomloom.testing.check import PLUGIN, Check, demand
from atomloom.testing.subject import EXAMPLES, Subject
from atomloom.units import parse

_IMPORTS = """\
import sys
import atomloom.cli.frame, atomloom.registry, atomloom.specs, atomloom.plugin
before = set(sys.modules)
__import__(sys.argv[1])
sys.__stdout__.write("\\n" + " ".join(sys.modules.keys() - before))
"""

SECONDS = 120
"""How long the import of a plugin may take before it counts as one that hangs."""


def api(subject: Subject) -> None:
    """The version of the interface."""
    found = getattr(subject.record.plugin, "api", None)
    demand(subject.record.plugin is not None, subject.record.reason)
    demand(found == API, f"it declares api {found!r}")


def hooks(subject: Subject) -> None:
    """What went wrong when the plugin was loaded."""
    problems = subject.record.problems
    demand(not problems, "; ".join(problem.reason for problem in problems))


def repeatable(subject: Subject) -> None:
    """Hooks called once more."""
    for each in subject.known.implementations:
        kind = each.hook.partition("_")[2]
        if each.plugin == subject.record.name and kind in KINDS:
            once, again = list(each()), list(each())
            demand(once == again, f"{each.hook} returns {_names(again)} after {_names(once)}")


def light(subject: Subject) -> str:
    """The imports of the plugin's module in a fresh process, beside those that every command has anyway."""
    module = subject.record.reference.partition(":")[0].strip()
    command = [sys.executable, "-c", _IMPORTS, module]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    demand(done.returncode == 0, f"importing {module} in a fresh process ends with exit code {done.returncode}")
    imported = {name.partition(".")[0] for name in done.stdout.rpartition("\n")[2].split()}
    own = {module.partition(".")[0], "atomloom"}
    heavy = sorted(imported - own - sys.stdlib_module_names)
    demand(not heavy, f"importing {module} imports {', '.join(heavy)}, for which every command would wait")
    return f"{module} imports nothing of others"


def summaries(subject: Subject) -> None:
    """One line for each contribution."""
    brought = subject.known.brought_by(subject.record.name)
    without = [
        _called(each) for each in brought if not each.spec.summary.strip() and "summary" not in each.spec.waivers
    ]
    demand(not without, f"no summary: {', '.join(without)}")
    long = [_called(each) for each in brought if "\n" in each.spec.summary.strip()]
    demand(not long, f"a summary is one line: {', '.join(long)}")


def units(subject: Subject) -> None:
    """The units of fields."""
    for each in subject.known.brought_by(subject.record.name):
        if isinstance(each.spec, Field) and each.spec.unit not in ("", UNRESOLVED):
            try:
                parse(each.spec.unit)
            except UnitError as error:
                demand(False, f"the unit of {each.spec.name} is not understood: {error.found}")


def waivers(subject: Subject) -> None:
    """The names in waivers, which would otherwise waive nothing and nobody would know."""
    from atomloom.testing.checks import checks_of

    for each in subject.known.brought_by(subject.record.name):
        known = {check.name for check in checks_of(each.kind, each.spec)}
        odd = sorted(set(each.spec.waivers) - known)
        there = ", ".join(sorted(known)) or "none"
        demand(not odd, f"{_called(each)} waives {', '.join(odd)}, and the checks that apply to it are {there}")


def loads(subject: Subject) -> None:
    """Everything that a spec points to."""
    from atomloom.registry import resolve

    for name in ("load", "config", "training", "devices"):
        reference = getattr(subject.spec, name, "")
        if isinstance(reference, str) and reference:
            resolve(reference, whence=subject.found.whence)


def example(subject: Subject) -> None:
    """The function that makes a tiny case."""
    from atomloom.registry import resolve

    wanted = EXAMPLES[subject.found.kind]
    demand(bool(subject.spec.example), f"it has no example, a function {wanted}")
    made = resolve(subject.spec.example, whence=subject.found.whence)
    demand(callable(made), f"{subject.spec.example} is no function {wanted}")


def _called(each: Contribution) -> str:
    return f"{each.kind} {each.spec.name}"


def _names(specs: list[object]) -> str:
    return ", ".join(getattr(spec, "name", "?") for spec in specs) or "nothing"


CHECKS = (
    Check("api", PLUGIN, f"The plugin declares the interface that it was written for, api = {API}.", api, "declares"),
    Check(
        "hooks",
        PLUGIN,
        "The plugin can be imported, and every hook returns specs that are as they should be, waivers with a reason.",
        hooks,
        "declares",
    ),
    Check("repeatable", PLUGIN, "A hook that is called again returns the same.", repeatable, "declares"),
    Check(
        "light",
        PLUGIN,
        "The module of the entry point imports nothing but the standard library, atomloom and its own package.",
        light,
        "declares",
        applies=lambda record: record.name != CORE,
    ),
    Check("summary", PLUGIN, "Every contribution has a summary of one line.", summaries, "declares"),
    Check("units", PLUGIN, "Core can convert the unit of every field.", units, "declares"),
    Check("waivers", PLUGIN, "Every waiver names a check that applies.", waivers, "declares"),
    *(
        Check("load", kind, "Everything that the spec points to can be imported.", loads, "declares")
        for kind in KINDS
        if kind != "fields"
    ),
    *(
        Check("example", kind, f"There is an example, `{wanted}`.", example, "declares")
        for kind, wanted in EXAMPLES.items()
    ),
)
