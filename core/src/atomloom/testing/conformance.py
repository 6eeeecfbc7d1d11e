"""The checks as tests of pytest, for a plugin's own suite."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from atomloom.registry import registry
from atomloom.testing.planning import Planned, plan
from atomloom.testing.running import run


class PluginConformance:
    """Every check of a distribution as a test of its own.

    A subclass in a test module names the distribution, and pytest finds the rest::

        from atomloom.testing.conformance import PluginConformance


        class TestLines(PluginConformance):
            distribution = "atomloom-lines"

    Waived checks are skipped, with their reason.

    Attributes:
        distribution: the name of an installed distribution, or of one of its plugins.
    """

    distribution: ClassVar[str]

    def pytest_generate_tests(self, metafunc: Any) -> None:
        """One test for each check, called like it."""
        if "planned" in metafunc.fixturenames:
            planned = plan(registry(), self.distribution)
            metafunc.parametrize("planned", planned, ids=[each.key for each in planned])

    def test_conformance(self, planned: Planned, tmp_path: Path) -> None:
        """What the check promises holds."""
        result = run(planned, registry(), tmp_path)
        if result.outcome == "waived":
            pytest.skip(result.said)
        if result.outcome == "failed":
            pytest.fail(f"{planned.of}: {planned.check.promise}\n{result.said}\n{result.traceback}", pytrace=False)
