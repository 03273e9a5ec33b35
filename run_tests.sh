#!/bin/sh
# Every check of this project, from a fresh clone: format, lint, types, import rules, tests.
#   ./run_tests.sh                        everything, as CI does
#   ./run_tests.sh --fast                 in less than a minute: types of changed files, unit tests with few examples
#   ./run_tests.sh tests/unit -k vintage  only pytest, with these arguments
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"
. workshop/python.sh

fast=
if [ "$*" = --fast ]; then
    fast=yes
elif [ $# -gt 0 ]; then
    exec "$python" -E -m workshop.setup .venv/bin/python -m pytest "$@"
fi
"$python" -E -m workshop.setup

failed=
check() {
    echo "== $*"
    .venv/bin/"$@" || failed="$failed, $1"
}
# The typed Python files that differ from the branch's start, committed or not.
changed() {
    start=$(git merge-base HEAD origin/main 2>/dev/null || git merge-base HEAD main 2>/dev/null || echo HEAD)
    { git diff --name-only --diff-filter=d "$start" && git ls-files --others --exclude-standard; } |
        grep '\.py$' | grep -Ev '^(tests|docs)/' || true
}

typed="layers/pipeline/python/appstore_analytics functions infra workshop local operations benchmarks app.py manage.py"
typed="$typed layers/console/python/appstore_console"
if [ -n "$fast" ] && git rev-parse --git-dir >/dev/null 2>&1; then
    typed=$(changed)
fi
check ruff format --check .
check ruff check .
if [ -n "$typed" ]; then
    check mypy $typed # no file of this project has a space in its name
fi
check lint-imports

echo "== pytest"
set -- -n 3 --dist loadfile --no-loadscope-reorder # one more than CI's cores, because deployments also wait
if [ -n "$fast" ]; then
    set -- "$@" -q --hypothesis-profile=fast tests/unit
else
    set -- "$@" --durations=20
fi
if [ -z "$failed" ]; then
    exec .venv/bin/python -m pytest "$@"
fi
.venv/bin/python -m pytest "$@" || failed="$failed, pytest"
echo "Failed: ${failed#, }." >&2 # so that pytest's summary stays the last line of the output
exit 1
