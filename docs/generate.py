"""Writes the generated pages of the documentation: `python docs/generate.py`, with any Python from 3.11.

docs/reports.md and docs/dbt/sources.yml are generated from the catalogue, docs/kpis.md from the KPI catalogue, the
table of faults in docs/reliability.md from the list of the tests, docs/openapi.json from the console's route table.
Outside of .venv it makes .venv if necessary, and runs in it. A second run writes the same bytes.
"""

import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


if __name__ == "__main__":
    sys.path[:0] = [*(str(_ROOT / "layers" / layer / "python") for layer in ("pipeline", "console")), str(_ROOT)]
    if sys.prefix == sys.base_prefix:  # a Python that has none of the packages
        from workshop import setup

        sys.exit(setup.main([str(setup.PYTHON), *sys.argv]))
    from docs.writing import main

    sys.exit(main())
