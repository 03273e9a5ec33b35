#!/bin/sh
# The whole pipeline on this machine, from a fresh clone. Needs Python 3.11 or newer and nothing else.
# ./quick_start.sh --help says what it can do.
set -eu
CDPATH='' cd -- "$(dirname -- "$0")"
. workshop/python.sh

for argument in "$@"; do
    case $argument in -h | --help) exec "$python" -E -m local.arguments --help ;; esac
done
"$python" -E -m local.arguments "$@" # refuses what it does not know, before anything is installed or removed
for argument in "$@"; do
    case $argument in --clean) exec "$python" -E -m workshop.setup --clean ;; esac
done
exec "$python" -E -m workshop.setup .venv/bin/python -m local "$@"
