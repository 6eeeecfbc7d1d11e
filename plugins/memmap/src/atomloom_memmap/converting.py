"""Many files into one store, side by side: the same bytes whatever the number of workers.

Small files are put together to *jobs* of about a shard; jobs follow from the files alone. First every job is read and
harmonised, so that files that do not belong together, or a disk without room, are told before anything is written.
Then every job writes shards of its own into one build, and one process writes the manifest over all of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial, reduce
from pathlib import Path
from typing import Any, NamedTuple

from atomloom.data import concatenate
from atomloom.data.meta import LEVEL
from atomloom.errors import ConfigError, DataError, InputError
from atomloom.harmonizing import Choices, Finding
from atomloom.pipeline import Harmonised, load_paths
from atomloom.readers import expand, read, side_by_side
from atomloom.runs import origin
from atomloom_memmap import manifest
from atomloom_memmap.building import Build, check_replaceable, check_room
from atomloom_memmap.checksums import digest
from atomloom_memmap.contents import CONVERTED_FROM, Contents, agree, agree_on_level
from atomloom_memmap.manifest import FieldEntry, Manifest
from atomloom_memmap.workers import Crew, crew
from atomloom_memmap.writing import (
    SHARD_MIB,
    build_shards,
    check_addition,
    described,
    identity,
    joined,
    put,
    put_behind,
)


@dataclass(frozen=True)
class Conversion:
    """What is converted, and how.

    Args:
        paths: files, folders and globs.
        target: the store.
        reader, options, choices: how they are read and harmonised; see `atomloom.pipeline.load_paths`.
        adding: whether the frames are added to a store that is there.
        workers: processes that read and write side by side.
        shard_mib: MiB of a shard at most.
    """

    paths: tuple[str, ...]
    target: Path
    reader: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)
    adding: bool = False
    workers: int = 1
    shard_mib: int = SHARD_MIB

    def load(self, files: Sequence[str]) -> Harmonised:
        """Some of the files, harmonised."""
        return load_paths(files, reader=self.reader, options=self.options, choices=self.choices)


@dataclass(frozen=True)
class Job:
    """Files that make shards of their own.

    Args:
        number: of the job.
        files: in their order.
        beside: whether they hold different fields of the same frames; else one holds the frames behind the other's.
        conversion: that it is part of.
    """

    number: int
    files: tuple[str, ...]
    beside: bool
    conversion: Conversion

    @cached_property
    def loaded(self) -> list[tuple[str, Harmonised]]:
        """Each file and what it holds, harmonised; those that belong side by side under the name of the first."""
        parts = [self.files] if self.beside else [(file,) for file in self.files]
        found = []
        for part in parts:
            with _naming(part):
                found.append((part[0], self.conversion.load(part)))
        return found

    @cached_property
    def contents(self) -> Contents:
        """All of it as a store holds it."""
        if len(self.loaded) > 1:
            (first, known), *others = [(file, _fields(file, each)) for file, each in self.loaded]
            for other, fields in others:
                agree(known, fields, (f"'{first}'", f"'{other}'"))
        with _naming(self.files):
            joined = concatenate([each.dataset for _, each in self.loaded])
            return Contents.of(joined.with_meta(**{CONVERTED_FROM: [origin(file) for file in self.files]}))

    def forget(self) -> None:
        """Close the files; who asks again has them read again."""
        for name in ("loaded", "contents"):
            vars(self).pop(name, None)


class Survey(NamedTuple):
    """What has to be known of a job before anything is written.

    Args:
        fields: what it holds.
        bytes, shards: what it will take.
        identity: tells it from what the same files may hold at another time.
        levels: of theory, by file, of those that say one.
        findings: of harmonising.
    """

    fields: dict[str, FieldEntry]
    bytes: int
    shards: int
    identity: str
    levels: dict[str, Any]
    findings: tuple[Finding, ...]


def convert(conversion: Conversion) -> tuple[Finding, ...]:
    """Convert, going on from what a killed process left; what harmonising found.

    With several workers each reads and writes its share in a process of its own: call it from a script only behind
    ``if __name__ == "__main__":``.
    """
    if conversion.workers < 1 or conversion.shard_mib < 1:
        found = f"{conversion.workers} workers and shards of {conversion.shard_mib} MiB were asked for"
        raise ConfigError("pack the data set", found, "Ask for one or more of both")
    if conversion.adding:
        manifest.load(conversion.target)
    else:
        check_replaceable(Path(os.path.realpath(conversion.target)))
    jobs = jobs_of(conversion)
    with crew(min(conversion.workers, len(jobs))) as workers:
        try:
            surveys = _surveyed(jobs, workers)
        except InputError:
            if not _are_beside(conversion, jobs):
                raise
            jobs = [Job(0, tuple(file for job in jobs for file in job.files), True, conversion)]
            surveys = _surveyed(jobs, workers)
        _write(conversion, jobs, surveys, workers)
    return tuple(dict.fromkeys(finding for survey in surveys for finding in survey.findings))


def jobs_of(conversion: Conversion) -> list[Job]:
    """The files in their order, put together to jobs of as many bytes as a shard has at the most."""
    groups: list[list[str]] = []
    held, limit = 0, conversion.shard_mib << 20
    for file in (path for pattern in conversion.paths for path in expand(pattern)):
        size = _bytes(file)
        if not groups or held + size > limit:
            groups.append([])
            held = 0
        groups[-1].append(str(file))
        held += size
    return [Job(number, tuple(files), False, conversion) for number, files in enumerate(groups)]


def _write(conversion: Conversion, jobs: Sequence[Job], surveys: Sequence[Survey], workers: Crew) -> None:
    told = digest("\n".join(survey.identity for survey in surveys).encode())
    needed, shards = (sum(values) for values in zip(*((each.bytes, each.shards) for each in surveys), strict=True))

    def make(build: Build, number: int) -> Manifest:
        check_room(build.folder, needed - build.kept(), conversion.target)
        expected = {job.number: survey.identity for job, survey in zip(jobs, surveys, strict=True)}
        try:
            pack = partial(_pack, build, number, expected)
            return reduce(joined, workers.each(pack, jobs, _label(conversion), (shards, build.count)))
        except BaseException:
            workers.stop()  # before the build is removed that they write to
            raise

    def check(first: Manifest) -> None:
        check_addition(first, surveys[0].fields, {}, (f"'{conversion.target}'", f"'{jobs[0].files[0]}'"))
        _check_levels({str(conversion.target): first.meta.get(LEVEL)}, *(each.levels for each in surveys))

    if conversion.adding:
        put_behind(conversion.target, told, check, make)
    else:
        put(conversion.target, told, make)


def _surveyed(jobs: Sequence[Job], workers: Crew) -> list[Survey]:
    """Every job surveyed; stops where they do not belong together."""
    surveys = workers.each(partial(_survey, len(jobs) > 1), jobs, f"reading {len(jobs)} parts")
    for job, survey in zip(jobs[1:], surveys[1:], strict=True):
        agree(surveys[0].fields, survey.fields, (f"'{jobs[0].files[0]}'", f"'{job.files[0]}'"))
    _check_levels(*(survey.levels for survey in surveys))
    return surveys


def _survey(several: bool, job: Job) -> Survey:
    contents, limit = job.contents, job.conversion.shard_mib
    findings = [
        replace(finding, note=f"{finding.note} in '{file}'") if several or len(job.loaded) > 1 else finding
        for file, each in job.loaded
        for finding in each.report.findings
    ]
    levels = {file: each.dataset.meta[LEVEL] for file, each in job.loaded if each.dataset.meta.get(LEVEL)}
    shards = len(contents.shards(limit << 20))
    survey = Survey(contents.fields, contents.bytes, shards, identity(contents, limit), levels, tuple(findings))
    if several:
        job.forget()
    return survey


def _pack(build: Build, number: int, expected: Mapping[int, str], job: Job) -> Manifest:
    """Write the shards of a job; the manifest of these alone."""
    contents, limit = job.contents, job.conversion.shard_mib
    if identity(contents, limit) != expected[job.number]:
        found = "it has changed since it was looked at, or one of those packed with it"
        raise DataError(f"pack '{job.files[0]}'", found, "Start again when nobody writes to it")
    with _naming(job.files):
        made = described(contents, build_shards(contents, build, f"{number}.{job.number}", limit))
    job.forget()
    return made


def _check_levels(*known: Mapping[str, Any]) -> None:
    """Stops at two files that say different levels of theory."""
    said = [(file, level) for levels in known for file, level in levels.items() if level]
    for file, level in said[1:]:
        agree_on_level({LEVEL: said[0][1]}, {LEVEL: level}, (f"'{said[0][0]}'", f"'{file}'"))


def _are_beside(conversion: Conversion, jobs: Sequence[Job]) -> bool:
    """Whether the files hold different fields of the same frames, as the first two of them tell."""
    files = [file for job in jobs for file in job.files][:2]
    if len(files) < 2 or jobs[0].beside:
        return False
    try:
        return side_by_side([read(file, reader=conversion.reader, **conversion.options) for file in files]) is not None
    except InputError:
        return False


@contextmanager
def _naming(files: Sequence[str]) -> Iterator[None]:
    """Errors of the block say which file they are about."""
    try:
        yield
    except InputError as error:
        if any(file in str(error) for file in files):
            raise
        called = f"'{files[0]}'" if len(files) == 1 else f"'{files[0]}' to '{files[-1]}'"
        raise type(error)(f"{error.asked} of {called}", error.found, error.todo) from error


def _fields(file: str, harmonised: Harmonised) -> dict[str, FieldEntry]:
    with _naming([file]):
        return Contents.of(harmonised.dataset).fields


def _bytes(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _label(conversion: Conversion) -> str:
    return f"packing {conversion.target.name}"
