#!/bin/sh
# The entry point of the image. The first argument says what to run:
#   api, manager    a service, with the other arguments
#   healthcheck     succeeds when the service in this container is healthy
#   anything else   that command as it is, such as sh
# The password for Redis is read from the file that REDIS_PASSWORD_FILE names, /run/secrets/redis_password if it is
# there. It goes into the environment of the service alone: no command line and no setting of the container has it.
set -eu

fail() {
    echo "entrypoint: $*" >&2
    exit 2
}

read_password() {
    file=${REDIS_PASSWORD_FILE:-/run/secrets/redis_password}
    if [ -z "${REDIS_PASSWORD_FILE:-}" ] && [ ! -e "$file" ]; then
        return
    fi
    [ -z "${REDIS_PASSWORD:-}" ] || fail "REDIS_PASSWORD is set and $file is there: only one can be the password"
    [ -z "${REDIS_URL:-}" ] || fail "REDIS_URL would overrule the password in $file: set REDIS_SERVER instead"
    [ -r "$file" ] || fail "$file can't be read by user $(id -u)"
    REDIS_PASSWORD=$(cat "$file")
    [ -n "$REDIS_PASSWORD" ] || fail "$file is empty"
    export REDIS_PASSWORD
}

check='
import sys, urllib.request
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
direct.open(f"http://127.0.0.1:{sys.argv[1]}/healthcheck", timeout=2)
'

# A container runs one service: of the two default ports, the one that answers is its own.
is_healthy() {
    for port in ${VMPOOLER_PORT:-4567 4568}; do
        if python -c "$check" "$port" 2>/dev/null; then
            return
        fi
    done
    return 1
}

case "${1:-}" in
    api | manager)
        service=$1
        shift
        read_password
        exec "vmpooler-$service" "$@"
        ;;
    healthcheck)
        is_healthy
        ;;
    '' | -*)
        fail "say what to run: api, manager (both take --help), healthcheck, or another command"
        ;;
    *)
        exec "$@"
        ;;
esac
