#!/usr/bin/env bash
# Runs a command with a throw-away PostgreSQL server beside it: its address is in MANARA_TEST_POSTGRES.
# The server listens on a socket in a temporary folder only, and is gone afterwards.
set -euo pipefail
binaries=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
[ -n "$binaries" ] || binaries=$(dirname "$(command -v pg_ctl || true)" 2>/dev/null || true)
[ -x "$binaries/initdb" ] || { echo "no PostgreSQL server here (Debian: postgresql): what needs one is skipped"; exit 0; }
shared=${POSTGRES_FOLDER:-}
# In memory where there is room for the databases of all tests; containers often have 64 MB there.
if [ -z "$shared" ]; then
  free=$(df --output=avail -B1M /dev/shm 2>/dev/null | tail -1 || echo 0)
  if [ -w /dev/shm ] && [ "${free:-0}" -ge 2048 ]; then shared=/dev/shm; else shared=${TMPDIR:-/tmp}; fi
fi
folder=$(mktemp -d "$shared/manara-postgres.XXXXXX")
as=()
# PostgreSQL does not run as root.
if [ "$(id -u)" = 0 ]; then chown postgres "$folder"; as=(runuser -u postgres --); fi
chmod 755 "$folder"
stop() { "${as[@]}" "$binaries/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$folder"; }
trap stop EXIT
cd "$folder"
"${as[@]}" "$binaries/initdb" -D data -A trust -U manara -E UTF8 --locale=C.UTF-8 -N >/dev/null
# Durability is what other tests kill the server for; here it would only be slow.
"${as[@]}" "$binaries/pg_ctl" -D data -l log -w -o "-k $folder -c listen_addresses='' -c max_connections=200 ${POSTGRES_OPTIONS:--c fsync=off}" start >/dev/null
cd "$OLDPWD"
export MANARA_TEST_POSTGRES="postgres://manara@${folder//\//%2F}/postgres"
"$@"
