"""The child process of `atomloom.testing.isolating`: ``python -m atomloom.testing DISTRIBUTION``, keys on stdin."""

from __future__ import annotations

import faulthandler
import json
import os
import sys

from atomloom.registry import registry
from atomloom.testing.isolating import serve


def main() -> None:
    """Run the checks; what plugins print goes to stderr, whatever they print it with."""
    faulthandler.enable()
    keys = json.load(sys.stdin)
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(registry(), sys.argv[1], keys, channel)


if __name__ == "__main__":
    main()
