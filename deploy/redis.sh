#!/bin/sh
# Runs the server that is given as arguments with the password in the file REDIS_PASSWORD_FILE,
# /run/secrets/redis_password by default. The server reads it from its standard input, where no list of processes
# shows it.
set -eu

file=${REDIS_PASSWORD_FILE:-/run/secrets/redis_password}
if [ ! -r "$file" ]; then
    echo "redis.sh: $file can't be read by user $(id -u)" >&2
    exit 1
fi
password=$(sed 's/[\\"]/\\&/g' "$file")
if [ -z "$password" ]; then
    echo "redis.sh: $file is empty" >&2
    exit 1
fi
exec "$@" - <<EOF
requirepass "$password"
EOF
