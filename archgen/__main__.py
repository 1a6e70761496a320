"""``python -m archgen`` is ``archgen``."""

from archgen.cli import main

if __name__ == "__main__":
    main()
