"""Every check of the workspace: `make test`, or `nox` from any environment that has nox.

No plugin is named here: a folder with ``plugins/*/pyproject.toml`` is one. The session `wheels` builds each
distribution once, and every other environment installs those files, whatever an index may offer under their names.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nox
from nox.command import CommandFailed

ROOT = Path(__file__).parent
DIST = ROOT / "dist"
PINS = DIST / "constraints.txt"
CONSTRAINTS = ROOT / "constraints.txt"
COMPILED = ROOT / ".nox" / "compiled"
RESOLVED = "# Resolved by `nox -s pin`; edit above this line only."
CORE = ROOT / "core"
PLUGINS = {path.parent.name: path.parent for path in sorted(ROOT.glob("plugins/*/pyproject.toml"))}
SOURCES = [folder / "src" for folder in (CORE, *PLUGINS.values())]
READMES = [folder / "README.md" for folder in (ROOT, CORE, *PLUGINS.values())]

TEMPLATE = CORE / "src" / "atomloom" / "template"
COMMON = TEMPLATE / "common"

# What a benchmark compares with, beside core and the plugins: benchmarks/requirements_KEY.txt of bench_KEY.py.
PEERS = {path.stem.removeprefix("requirements_"): path for path in sorted(ROOT.glob("benchmarks/requirements_*.txt"))}

# Extras that bring some fifty packages each; their tests skip without them and run in the session `slow`.
HEAVY = ("mlflow", "wandb")

LINT = ("import-linter", "mypy", "ruff")
FILES = (ROOT / "docs" / "requirements.txt", *PEERS.values())
TEST = ("hatchling", "hypothesis", "packaging", "pip", "pytest")  # fixture plugins are built and installed
SHARING = "pytest-xdist"

# Files of tests run side by side. A worker takes up to 1.5 gigabytes, so that not every processor gets one.
WORKERS = min(os.cpu_count() or 1, 4)

nox.needs_version = ">=2025.10.14"  # requires=
nox.options.default_venv_backend = "venv"
nox.options.sessions = ["core", "plugin", "together", "docs", "lint", "template"]
nox.options.error_on_external_run = True

# An environment holds what it declares and no pip: that of the session `wheels`, which runs first, installs into it.
# Making it so takes a tenth of a second, and an old pip does not understand constraints that are files.
EMPTY = ["--without-pip"]


def project(folder: Path) -> dict[str, Any]:
    """The ``[project]`` table of a distribution."""
    table: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def name(folder: Path) -> str:
    """The distribution's name, such as ``atomloom-lines``."""
    return str(project(folder)["name"])


def module(folder: Path) -> str:
    """The distribution's import name, such as ``atomloom_lines``."""
    return name(folder).replace("-", "_")


def distribution(requirement: str) -> str:
    """The name in a requirement such as ``atomloom-lines[test]>=0.1``."""
    return re.split(r"[^\w.-]", requirement)[0]


def everything(*extras: str) -> list[str]:
    """Requirements for core and all plugins, with those of the extras that each has (without names all but `HEAVY`)."""
    requirements = []
    for folder in (CORE, *PLUGINS.values()):
        offered = project(folder).get("optional-dependencies", {})
        chosen = ",".join(extra for extra in offered if (extra in extras if extras else extra not in HEAVY))
        requirements.append(f"{name(folder)}[{chosen}]")
    return requirements


def listed_in(*files: Path) -> list[str]:
    """What has pip install the requirements in these files."""
    return [argument for path in files for argument in ("-r", str(path))]


def pip(session: nox.Session, *arguments: str) -> None:
    """Run the pip of the session `wheels` on this session's environment."""
    installer = Path(session.virtualenv.location).parent / "wheels" / "bin" / "python"
    python = Path(session.bin) / "python"
    command = (str(installer), "-m", "pip", "-qq", "--disable-pip-version-check", "--python", str(python), *arguments)
    session.run_install(*command, external=True)


def install(session: nox.Session, *requirements: str) -> None:
    """Install with the versions of constraints.txt and every atomloom-* from its wheel in dist/."""
    if any(requirement.startswith("atomloom") for requirement in requirements):
        # A reused environment may hold an earlier build of the same version, which pip would keep.
        pip(session, "install", "--no-deps", "--force-reinstall", *(str(wheel) for wheel in wheels_of(requirements)))
        requirements = ("--find-links", str(DIST), "--constraint", str(PINS), *requirements)
    # Few of the modules installed are ever imported; those that are get compiled then.
    pip(session, "install", "--no-compile", "--constraint", str(CONSTRAINTS), *requirements)


def wheels_of(requirements: tuple[str, ...]) -> Iterator[Path]:
    """The wheels in dist/ of those requirements that are ours."""
    for requirement in requirements:
        yield from DIST.glob(f"{distribution(requirement).replace('-', '_')}-[0-9]*.whl")


def pytest(session: nox.Session, *arguments: str | Path, env: Mapping[str, str] | None = None, **options: Any) -> None:
    """Run pytest with the workspace's settings, several files at a time, `-n 0` one after the other.

    What JAX compiles for one process is kept for all others, also those of other sessions: most of the tests' time.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        # A background job of a script begins with Ctrl-C ignored and hands that down, and tests send Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    shared = ("-n", str(WORKERS), "--dist", "loadfile")
    kept = {"JAX_COMPILATION_CACHE_DIR": str(COMPILED), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    command = ("python", "-m", "pytest", "-c", "pyproject.toml", "--rootdir", ".", *shared, *map(str, arguments))
    session.run(*command, env={**kept, **(env or {})}, **options)


def run_all(session: nox.Session, *commands: tuple[str, ...], **options: Any) -> None:
    """Run every command, and fail at the end if one of them did."""
    failed = []
    for command in commands:
        try:
            session.run(*command, **options)
        except CommandFailed:
            failed.append(" ".join(command))
    if failed:
        session.error(f"failed: {'; '.join(failed)}")


@nox.session
def wheels(session: nox.Session) -> None:
    """Fill dist/ with one wheel of each distribution, and with constraints that pin each name to its wheel."""
    shutil.rmtree(DIST, ignore_errors=True)
    session.install("-qq", "--upgrade", "--constraint", str(CONSTRAINTS), "pip", "hatchling")
    folders = map(str, (CORE, *PLUGINS.values()))
    pip(session, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(DIST), *folders)
    built = {wheel.name.split("-")[0].replace("_", "-"): wheel for wheel in sorted(DIST.glob("*.whl"))}
    pins = [f"{known_as} @ {wheel.as_uri()}\n" for known_as, wheel in built.items()]
    PINS.write_text("".join(["-c ../constraints.txt\n", *pins]), encoding="utf-8")


@nox.session(venv_params=EMPTY, requires=["wheels"])
def core(session: nox.Session) -> None:
    """Core alone: its tests and the examples in its docstrings."""
    install(session, "atomloom[test]", SHARING)
    pytest(session, "--doctest-modules", "--pyargs", "atomloom", "core/tests", *session.posargs)


@nox.session(venv_params=EMPTY, requires=["wheels"])
@nox.parametrize("plugin", [nox.param(folder, id=key) for key, folder in PLUGINS.items()])
def plugin(session: nox.Session, plugin: Path) -> None:
    """One plugin with what it declares and nothing else: its tests and the examples in its docstrings."""
    install(session, f"{name(plugin)}[test]", SHARING)
    pytest(session, "--doctest-modules", "--pyargs", module(plugin), plugin / "tests", *session.posargs)


@nox.session(venv_params=EMPTY, requires=["wheels"])
def together(session: nox.Session) -> None:
    """Core and all plugins in one environment: the tests of what they do to each other, and of their wheels."""
    install(session, *everything("test"), *TEST, SHARING)
    pytest(session, "tests", *session.posargs, env={"ATOMLOOM_DIST": str(DIST)})


@nox.session(venv_params=EMPTY, requires=["wheels"])
def slow(session: nox.Session) -> None:
    """On request: the tests marked slow, and those of the heavy extras, with core and all plugins installed."""
    install(session, *everything("test", *HEAVY), *TEST, SHARING)
    folders = [folder / "tests" for folder in (ROOT, CORE, *PLUGINS.values())]
    pytest(session, "-m", "slow", *folders, *session.posargs, env={"ATOMLOOM_DIST": str(DIST)}, success_codes=[0, 5])
    pytest(session, CORE / "tests" / "test_runs_tracking.py")


@nox.session(venv_params=EMPTY, requires=["wheels"])
def docs(session: nox.Session) -> None:
    """Build the pages with every warning an error, and run the code in them and in the READMEs."""
    install(session, *everything(), SHARING, "-r", "docs/requirements.txt")
    session.run("sphinx-build", "-W", "--keep-going", "-n", "-q", "-b", "html", "docs", "docs/_build/html")
    pages = [path for path in READMES if path.exists()]
    pytest(session, "-p", "docs.executed", "docs", *pages, *session.posargs)


@nox.session(venv_params=EMPTY, requires=["wheels"])
def lint(session: nox.Session) -> None:
    """Style, types and who may import whom, over core and all plugins."""
    install(session, *everything(), *LINT)
    contracts = Path(session.create_tmp()) / "plugins.ini"
    contracts.write_text(plugin_contracts(), encoding="utf-8")
    run_all(
        session,
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy", *map(str, SOURCES)),
        ("lint-imports", "--no-logo", "--no-cache"),
        *([("lint-imports", "--no-logo", "--no-cache", "--config", str(contracts))] if PLUGINS else []),
        env={"PYTHONPATH": os.pathsep.join(map(str, SOURCES))},
    )


def plugin_contracts() -> str:
    """Import-linter contracts: core imports no plugin, and a plugin only those that it declares to depend on."""
    modules = {name(folder): module(folder) for folder in (CORE, *PLUGINS.values())}
    lines = ["[importlinter]", "root_packages =", *(f"    {package}" for package in modules.values())]
    for folder in (CORE, *PLUGINS.values()):
        # An extra names what goes well with it, such as a renderer of its reports, and is never imported.
        known = {"atomloom", name(folder), *map(distribution, project(folder).get("dependencies", []))}
        foreign = [package for owner, package in modules.items() if owner not in known]
        if foreign:
            lines += [f"[importlinter:contract:{module(folder)}]", "type = forbidden"]
            lines += [
                f"name = {name(folder)} imports only what it declares",
                "source_modules =",
                f"    {module(folder)}",
            ]
            lines += ["forbidden_modules =", *(f"    {package}" for package in foreign)]
    return "\n".join(lines) + "\n"


@nox.session(venv_params=EMPTY, requires=["wheels"])
def template(session: nox.Session) -> None:
    """What `atomloom new plugin` writes of each kind installs, passes its own tests and keeps its promises."""
    kinds = session.posargs or sorted(path.name for path in TEMPLATE.iterdir() if path.is_dir() and path != COMMON)
    install(session, "atomloom[test]", "hatchling")
    with session.chdir(session.create_tmp()):
        for kind in kinds:
            written = Path(f"atomloom-specimen-{kind}")
            shutil.rmtree(written, ignore_errors=True)
            session.run("atomloom", "new", "plugin", f"specimen-{kind}", f"--{kind}")
            install(session, *project(written)["dependencies"])
            pip(session, "install", "--no-deps", "--force-reinstall", "--no-build-isolation", f"./{written}")
            session.run("python", "-m", "pytest", str(written))
            session.run("atomloom", "plugins", "check", str(written))


@nox.session(venv_params=EMPTY, requires=["wheels"])
def bench(session: nox.Session) -> None:
    """On request: every benchmarks/bench_*.py, or those named: ``nox -s bench -- import``."""
    found = sorted(path.stem.removeprefix("bench_") for path in ROOT.glob("benchmarks/bench_*.py"))
    keys = session.posargs or found
    install(session, *everything(), *listed_in(*(PEERS[key] for key in keys if key in PEERS)))
    run_all(session, *(("python", f"benchmarks/bench_{key}.py") for key in keys))


@nox.session(venv_params=EMPTY, requires=["wheels"])
def pin(session: nox.Session) -> None:
    """On request: look up the newest versions of everything that CI installs and write constraints.txt anew.

    What stands above the marker line is held by hand and is kept.
    """
    held = CONSTRAINTS.read_text(encoding="utf-8").split(RESOLVED)[0].rstrip()
    limits = Path(session.create_tmp()) / "held.txt"
    ours = [line for line in PINS.read_text(encoding="utf-8").splitlines() if line.startswith("atomloom")]
    limits.write_text("\n".join([held, *ours]) + "\n", encoding="utf-8")
    wanted = [*everything(), *TEST, SHARING, *LINT, "nox", *listed_in(*FILES)]
    pip(session, "install", "--no-compile", "--upgrade", "--constraint", str(limits), *wanted)
    listed = session.run("python", "-m", "pip", "list", "--format", "freeze", silent=True) or ""
    by_hand = {re.split("==", line)[0].lower() for line in held.splitlines() if not line.startswith("#")}
    found = [line for line in listed.splitlines() if re.match(r"[\w.-]+==", line) and not line.startswith("atomloom")]
    chosen = sorted((line for line in found if line.split("==")[0].lower() not in by_hand), key=str.lower)
    CONSTRAINTS.write_text("\n".join([held, "", RESOLVED, *chosen]) + "\n", encoding="utf-8")
