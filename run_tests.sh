#!/bin/sh
# Every check of this project, from a fresh clone: format, lint, types, import rules, tests.
# With arguments only pytest runs, with these arguments: ./run_tests.sh tests/unit -k vintage
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"
. workshop/python.sh

if [ $# -gt 0 ]; then
    exec "$python" -E -m workshop.setup .venv/bin/python -m pytest "$@"
fi
"$python" -E -m workshop.setup

failed=
check() {
    echo "== $*"
    .venv/bin/"$@" || failed="$failed, $1"
}
check ruff format --check .
check ruff check .
check mypy layers/pipeline/python/appstore_analytics functions infra workshop local operations benchmarks app.py manage.py
check lint-imports

echo "== pytest"
set -- -n 2 --dist loadfile
if [ -z "$failed" ]; then
    exec .venv/bin/python -m pytest "$@"
fi
.venv/bin/python -m pytest "$@" || failed="$failed, pytest"
echo "Failed: ${failed#, }." >&2 # so that pytest's summary stays the last line of the output
exit 1
