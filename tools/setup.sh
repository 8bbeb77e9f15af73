#!/bin/sh
# Makes .venv in the current directory (VENV names another one), with everything that requirements.lock pins and the
# project itself, editable. PYTHON names the interpreter to use; the first fitting one when it is empty or not set.
set -eu

venv=${VENV:-.venv}
python=$venv/bin/python

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null
}

can_make_venv() {
    "$1" -c 'import ensurepip, venv' 2>/dev/null
}

find_python() {
    without_venv=
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        fits "$candidate" || continue
        if can_make_venv "$candidate"; then
            echo "$candidate"
            return
        fi
        without_venv=${without_venv:-$candidate}
    done
    if [ -n "$without_venv" ]; then
        echo "$without_venv has no venv module; install it (Debian and Ubuntu: apt install python3-venv)" >&2
    elif [ -n "${PYTHON:-}" ]; then
        echo "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13" >&2
    else
        echo "no Python 3.11, 3.12 or 3.13 found; install one (Debian and Ubuntu: apt install python3 python3-venv)" \
            "or name one: make setup PYTHON=/path/to/python3" >&2
    fi
    exit 1
}

# A chosen interpreter gets a new environment; so does one that is broken, for example because its Python is gone.
if [ -n "${PYTHON:-}" ] || ! fits "$python" || ! "$python" -m pip --version >/dev/null 2>&1; then
    base=$(find_python)
    echo "setting up $venv with $("$base" --version)"
    "$base" -m venv --clear "$venv"
fi

# Runs pip, which may print many lines; without a network one line says so.
pip_install() {
    if "$python" -m pip install --quiet --no-deps "$@" >"$venv/pip.log" 2>&1; then
        return
    fi
    if grep -Eq 'NewConnectionError|NameResolutionError|ConnectTimeoutError|ReadTimeoutError|Network is unreachable' \
        "$venv/pip.log"; then
        echo "no network: can't reach the package index (PIP_INDEX_URL can name a mirror); see $venv/pip.log" >&2
    else
        cat "$venv/pip.log" >&2
    fi
    exit 1
}

# uv installs the pins in about a second where pip needs fifteen, so pip installs nothing but uv. Should uv not
# reach the packages (it doesn't read pip's settings: mirrors, certificates), pip installs the rest too.
install() {
    "$python" -m uv pip install --quiet --python "$python" --no-deps "$@" 2>"$venv/uv.log" || pip_install "$@"
}
export PIP_DISABLE_PIP_VERSION_CHECK=1 UV_LINK_MODE="${UV_LINK_MODE:-copy}"

awk '/^[^ #]/ { wanted = /^uv==/ } wanted' requirements.lock >"$venv/uv.lock"
pip_install --require-hashes --requirement "$venv/uv.lock"
install --require-hashes --requirement requirements.lock
install --no-build-isolation --editable .
echo "set up: $venv/bin/vmpooler-api, $venv/bin/vmpooler-manager"
