"""The registry of plugins: find, then load, then classify; each step is a function from data to data.

A plugin that is broken is data as well. It is listed with the reason, and everything else works.

    find             which plugins the installed distributions name; imports none of them
    load             imports them; what goes wrong becomes a `Problem`
    implementations  which hooks they implement, and which they only meant to
    contributions    the specs that their hooks return, checked
    conflicts        fields and commands that two plugins declare
    lookup           one contribution by name, or an error that helps
"""

from __future__ import annotations

from atomloom.registry.contributions import KINDS
from atomloom.registry.loom import Registry
from atomloom.registry.process import block, current, registry, use
from atomloom.registry.records import Conflict, Contribution, Found, PluginRecord, Problem
from atomloom.registry.references import resolve
from atomloom.registry.sniff import Suggestion

__all__ = [
    "KINDS",
    "Conflict",
    "Contribution",
    "Found",
    "PluginRecord",
    "Problem",
    "Registry",
    "Suggestion",
    "block",
    "current",
    "registry",
    "resolve",
    "use",
]
