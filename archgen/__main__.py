"""``python -m archgen``: the same as the command ``archgen``."""

from archgen.cli import main

main()
