"""Two processes never believe that both hold one lock."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from atomloom.errors import RunError
from atomloom.runs import lock


def test_a_lock_that_was_removed_while_somebody_waited_is_not_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name may be another file by then, which a third one holds; the one who waited is refused."""
    path, waiting, answers = tmp_path / "lock", threading.Event(), []
    locking = lock._system_lock

    def wait(handle: int) -> bool:
        waiting.set()
        return locking(handle)

    def ask() -> None:
        with pytest.raises(RunError, match="is fitting it") as error, lock.locked(path, tmp_path):
            pass
        answers.append(error.value)

    monkeypatch.setattr(lock, "_PATIENCE", 20.0)
    with lock.locked(path, tmp_path):
        monkeypatch.setattr(lock, "_system_lock", wait)
        other = threading.Thread(target=ask)
        other.start()
        assert waiting.wait(20)
        path.unlink()
    other.join(20)
    assert len(answers) == 1
    with lock.locked(path, tmp_path):
        assert path.exists()
