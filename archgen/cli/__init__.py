"""The command line: loads, calls, draws; computes nothing.

Commands import what is heavy inside their functions: ``archgen show`` never loads PyTorch.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run ``archgen``: the exit status is 0, 1 for a mistake in the input, 2 for wrong usage."""
    try:
        from archgen.cli.commands import app

        app(prog_name="archgen")
    except KeyboardInterrupt:  # before a command runs
        sys.stderr.write("error: interrupted\n")
        sys.exit(130)
