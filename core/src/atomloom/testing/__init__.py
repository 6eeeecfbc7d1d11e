"""The conformance kit: whether a plugin does what it promises.

``atomloom plugins check DISTRIBUTION`` runs it without pytest. The same checks are tests of pytest, one each, for a
plugin's own suite (`PluginConformance`, with the extra ``atomloom[testing]``).

::

    check       what a check is                     planning    which checks a distribution is in for
    checks      all of them                         running     one check in this process
    subject     what a check looks at               isolating   all of them in a process of their own
    examples    small examples that specs may name  conformance the pytest class

    plugins, readers, harmonizers, writers, models, losses, others      what each kind of contribution promises
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from atomloom.lazily import lazily

if TYPE_CHECKING:
    from atomloom.testing.conformance import PluginConformance

__all__ = ["PluginConformance"]

if not TYPE_CHECKING:  # pytest is only there for those who want the class
    __getattr__, __dir__ = lazily(__name__, {"PluginConformance": "conformance"})
