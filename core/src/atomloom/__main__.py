"""``python -m atomloom``."""

from __future__ import annotations

from atomloom.cli import main

if __name__ == "__main__":
    main()
