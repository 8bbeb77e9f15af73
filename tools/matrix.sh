#!/bin/sh
# Runs the unit tests and those of the store and the API with each supported Python that uv or the machine has, each
# in an environment of its own, .matrix/VERSION. Arguments are given to pytest in place of these folders. A version
# that isn't there is skipped, and said so at the end; it fails when a test failed, or when there was no Python at all.
set -eu

uv=.venv/bin/uv
[ $# -gt 0 ] || set -- -n 4 --dist worksteal tests/unit tests/store tests/api
tested=
failed=
skipped=

set_up() {
    stamp=$2/.set-up
    if [ -e "$stamp" ] && [ -z "$(find requirements.lock pyproject.toml tools/setup.sh -newer "$stamp")" ]; then
        return
    fi
    PYTHON=$1 VENV=$2 sh tools/setup.sh && touch "$stamp"
}

# uv knows its own interpreters and those on the PATH, but stumbles over pyenv's when they aren't switched on.
find_interpreter() {
    for candidate in "$("$uv" python find --no-project --system --no-python-downloads "$1" 2>/dev/null)" \
        "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        if "$candidate" -c "import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$1')" 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

for version in 3.11 3.12 3.13; do
    if ! interpreter=$(find_interpreter "$version"); then
        skipped="$skipped $version"
        continue
    fi
    echo "Python $version: $interpreter"
    if set_up "$interpreter" ".matrix/$version" && ".matrix/$version/bin/python" -m pytest "$@"; then
        tested="$tested $version"
    else
        failed="$failed $version"
    fi
done

echo "passed with Python:${tested:- none}"
[ -z "$skipped" ] || echo "SKIPPED, NOT TESTED: no Python$skipped on this machine (get one: $uv python install VERSION)" >&2
[ -z "$failed" ] || echo "FAILED with Python$failed" >&2
[ -z "$failed" ] && [ -n "$tested" ]
