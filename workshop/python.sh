# shellcheck shell=sh
# Sourced by quick_start.sh and run_tests.sh in the project's root: sets $python to a Python that can make .venv.

python=
without_venv=
for candidate in .venv/bin/python python3.13 python3.12 python3.11 python3 python3.14 python; do
    if "$candidate" -E -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        if "$candidate" -E -c 'import ensurepip, venv' 2>/dev/null; then
            python=$candidate
            break
        fi
        without_venv=${without_venv:-$candidate}
    fi
done

if [ -z "$python" ]; then
    if [ -n "$without_venv" ]; then
        echo "$without_venv lacks the venv module: install it (Debian and Ubuntu: apt install python3-venv) and try again." >&2
    else
        echo "Python 3.11 or newer is needed and none is on PATH: install one (https://www.python.org/downloads) and try again." >&2
    fi
    exit 1
fi
