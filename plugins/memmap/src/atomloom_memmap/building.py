"""A store in the making: a folder beside its target that gives it its name when it is whole.

::

    packed.partial/            what a killed conversion leaves behind; the same conversion goes on from it
      build.json               which conversion it is
      done/0.0.0.json          a shard that is complete and on the disk
      store/shards/0.0.0/      its arrays
    packed/                    appears by rename of the store, with its manifest, or never

A store that is replaced is moved aside before, to ``.atomloom-replaced-packed``, and removed behind; whoever writes
there next brings it back if a process was killed in between. Adding to a store builds the new shards in
``packed/partial/`` and moves them over; the manifest that names them is written last. Nothing that an older manifest
names is ever changed.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from atomloom.errors import AtomloomError, TargetError
from atomloom.runs.atomic import TEMPORARY, atomic_file, remove_folder
from atomloom.runs.lock import Holder, holder, locked
from atomloom.runs.targets import writing
from atomloom_memmap import manifest
from atomloom_memmap.manifest import Manifest, Shard
from atomloom_memmap.part_writer import sync
from atomloom_memmap.workers import WorkerLost

SHARDS = "shards"
"""The folder of a store with the folders of its shards."""

_STORE, _DONE, _IDENTITY, _LOCK = "store", "done", "build.json", "lock"
_ROOM = 1 << 20  # bytes beside the arrays: headers, checksums, the manifest
_SHARD = re.compile(r"(?P<generation>\d+)\.\d+\.\d+")


class Build:
    """A store, or an addition to one, that is being written.

    Args:
        target: the store.
        adding: whether the shards are added to a store that is there.
    """

    def __init__(self, target: Path, *, adding: bool = False) -> None:
        self.target, self.adding = target, adding
        self.folder = target / "partial" if adding else manifest.partial(target)

    @contextmanager
    def open(self, identity: str) -> Iterator[None]:
        """Work on it during the ``with`` block, going on from what the same conversion left behind.

        Args:
            identity: tells this conversion from any other; without one nothing is kept to go on from.

        A failure removes everything; an interruption (Ctrl-C, a killed process or worker) leaves what `identity` can
        continue.
        """
        with self.alone():
            try:
                self._begin(identity)
                yield
            except (KeyboardInterrupt, WorkerLost):
                if not identity:
                    self.remove()
                raise
            except BaseException:
                self.remove()
                raise

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else write this during the ``with`` block."""
        self._check_ours()
        self.folder.mkdir(exist_ok=True)
        with locked(self.folder / _LOCK, self.target, _held):
            yield

    def shard_folder(self, name: str) -> Path:
        """Where the arrays of a shard go; what a killed process left half-written there is removed."""
        folder = self.folder / _STORE / SHARDS / name
        shutil.rmtree(folder, ignore_errors=True)
        return folder

    def finished(self, name: str) -> Shard | None:
        """A shard that is complete already."""
        try:
            return msgspec.json.decode((self.folder / _DONE / f"{name}.json").read_bytes(), type=Shard)
        except FileNotFoundError:
            return None

    def home(self, name: str) -> Path:
        """The store in which a finished shard is: the one in the making, or where a killed process moved it to."""
        moved = self.adding and not (self.folder / _STORE / SHARDS / name).exists()
        return self.target if moved else self.folder / _STORE

    def finish(self, name: str, shard: Shard) -> None:
        """Note that a shard is complete and on the disk."""
        sync(self.folder / _STORE / SHARDS)
        with atomic_file(self.folder / _DONE / f"{name}.json", "wb") as file:
            file.write(msgspec.json.encode(shard))

    def count(self) -> int:
        """How many shards are complete already."""
        return len(self._done())

    def kept(self) -> int:
        """Bytes of the arrays of these."""
        shards = [self.finished(path.stem) for path in self._done()]
        parts = [part for shard in shards if shard for part in shard.parts]
        return sum(entry.bytes for part in parts for entry in (*part.fields.values(), *part.offsets.values()))

    def is_published(self, described: Manifest) -> bool:
        """Whether the store has this addition already, and only the tidying up is missing."""
        named = _folders(described)
        return any(f"{SHARDS}/{path.stem}" in named for path in self._done())

    def publish(self, described: Manifest) -> None:
        """Give the complete store its name, or the complete addition its place."""
        with writing(self.target):
            if self.adding:
                self._move_over(described)
                manifest.save(described, self.target)
            else:
                manifest.save(described, self.folder / _STORE)
                self._take_place()
        self.remove()

    def remove(self) -> None:
        """Remove everything that is not the store."""
        if self.folder.exists():
            remove_folder(self.folder)

    def _done(self) -> list[Path]:
        return list((self.folder / _DONE).glob("*.json"))

    def _begin(self, identity: str) -> None:
        self._bring_back()
        noted = self.folder / _IDENTITY
        before = noted.read_text(encoding="utf-8", errors="replace") if noted.exists() else None
        if before != identity or not identity:
            for name in (_DONE, _STORE):  # in this order: what is noted as done must be there
                shutil.rmtree(self.folder / name, ignore_errors=True)
            with atomic_file(noted, "w") as file:
                file.write(identity)
        (self.folder / _DONE).mkdir(exist_ok=True)
        (self.folder / _STORE / SHARDS).mkdir(parents=True, exist_ok=True)

    def _bring_back(self) -> None:
        """Put things right after a process that was killed while it replaced a store or moved shards."""
        aside = manifest.aside(self.target)
        if not self.adding and aside.exists():
            if self.target.exists():
                remove_folder(aside)
            else:
                os.rename(aside, self.target)

    def _take_place(self) -> None:
        """Give the store its name; one that has it already is moved aside, so that there always is one of them."""
        if not self.target.exists():
            os.rename(self.folder / _STORE, self.target)
            sync(self.target.parent)
            return
        aside = manifest.aside(self.target)
        with Build(self.target, adding=True).alone():  # nobody may be adding to it
            os.rename(self.target, aside)
            os.rename(self.folder / _STORE, self.target)
            sync(self.target.parent)
        remove_folder(aside)

    def _move_over(self, described: Manifest) -> None:
        """Move every new shard to the old ones; one that a killed process moved is there already."""
        named, newest = _folders(described), generation(described) - 1
        for folder in (self.target / SHARDS).iterdir():  # of an addition that was killed and is not wanted any more
            number = _SHARD.fullmatch(folder.name)
            if number and int(number["generation"]) >= newest and f"{SHARDS}/{folder.name}" not in named:
                shutil.rmtree(folder, ignore_errors=True)
        for folder in sorted((self.folder / _STORE / SHARDS).iterdir()):
            place = self.target / SHARDS / folder.name
            shutil.rmtree(place, ignore_errors=True)
            os.rename(folder, place)
        sync(self.target / SHARDS)

    def _check_ours(self) -> None:
        """Stops at a folder of somebody else's: nothing in it is ours to remove."""
        if not self.folder.is_dir():
            return
        ours = {_STORE, _DONE, _IDENTITY, _LOCK}
        strange = sorted(
            path.name for path in self.folder.iterdir() if path.name not in ours and not TEMPORARY.fullmatch(path.name)
        )
        if strange:
            found = f"the work would be done in '{self.folder}', and there is {strange[0]!r} in it"
            raise TargetError(f"write '{self.target}'", found, "Rename that folder, or choose another name")


def generation(described: Manifest) -> int:
    """The number of the next addition to a store."""
    return 1 + max(int(folder.rpartition("/")[2].partition(".")[0]) for folder in _folders(described))


def check_replaceable(target: Path) -> None:
    """Stops at a folder that is no store: it is not ours to remove."""
    if target.exists() and not (target / manifest.NAME).is_file():
        found = "something is there that is no packed store, and it will not be removed"
        raise TargetError(f"write '{target}'", found, "Choose another name")


def check_room(folder: Path, needed: int, target: str | Path) -> None:
    """Stops before anything is written into `folder` where its disk is known to have no room for it."""
    free = shutil.disk_usage(folder).free
    if needed + needed // 4096 + _ROOM > free:
        found = f"it takes {needed / 1e9:.3g} GB and the disk has {free / 1e9:.3g} GB left"
        raise TargetError(f"write '{target}'", found, "Free some space or choose another place")


def _folders(described: Manifest) -> set[str]:
    return {part.folder for shard in described.shards for part in shard.parts}


def _held(path: Path, target: Path) -> AtomloomError:
    by: Holder | None = holder(path)
    who = f"process {by.pid} on {by.host}" if by else "another process"
    return TargetError(f"write '{target}'", f"{who} is writing it", "Wait for its end, or choose another name")
