#!/usr/bin/env python3
"""Query and run the installed pipeline: see ./manage.py --help. The commands are in operations/."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent

if __name__ == "__main__":
    if sys.version_info < (3, 11) and Path(sys.prefix) != ROOT / ".venv":
        sys.exit("manage.py needs Python 3.11 or newer: `python3.11 manage.py …`, or `.venv/bin/python manage.py …`.")
    if Path(sys.prefix) == ROOT / ".venv":
        try:
            from operations.commands import main
        except KeyboardInterrupt:  # loading takes a second
            from workshop.ctrl_c import interrupted

            sys.exit(interrupted())
        main()
    else:
        from workshop import setup

        sys.exit(setup.main([str(setup.PYTHON), str(ROOT / "manage.py"), *sys.argv[1:]]))
