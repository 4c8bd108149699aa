#!/usr/bin/env bash
# The command line over both engines: a node goes to PostgreSQL and back, by migration and by backup, and
# says the same everywhere. Run by scripts/postgres.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
manara=$(realpath "${1:-target/debug/manara}")
: "${MANARA_TEST_POSTGRES:?run this by scripts/postgres.sh}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
database() {
  psql "$MANARA_TEST_POSTGRES" -qc "CREATE DATABASE $1"
  echo "${MANARA_TEST_POSTGRES%/*}/$1"
}
# What a node says: an export, lists, words, the log.
says() {
  "$manara" "$@" export --format text --audience self
  "$manara" "$@" record list --json
  "$manara" "$@" search --text ghost --json
  "$manara" "$@" audit --limit 1000 --json
}
same() { cmp <(says "${here[@]}") <(says "$@") || { echo "FAILED: $what differs"; exit 1; }; "$manara" "$@" verify >/dev/null; }
here=(--data "$folder/node")
"$manara" "${here[@]}" init --org "CERT Engines" --country MY --admin admin@cert.example >/dev/null
"$manara" "${here[@]}" import --tlp green fixtures/misp fixtures/csaf fixtures/stix/amnesty-novispy.json fixtures/indicators/ipsum.txt.zst >/dev/null 2>&1

there=(--data "$folder/node" --database "$(database migrated)")
"$manara" "${here[@]}" migrate-store --to "${there[3]}" >/dev/null
what="the migrated node"; same "${there[@]}"
if "$manara" "${here[@]}" migrate-store --to "${there[3]}" 2>/dev/null; then echo "FAILED: migrated over a store"; exit 1; fi

"$manara" "${there[@]}" backup "$folder/server.backup" >/dev/null
"$manara" restore "$folder/server.backup" --data "$folder/laptop" >/dev/null
what="a server's backup on a laptop"; same --data "$folder/laptop"
again=$(database restored)
"$manara" restore "$folder/server.backup" --data "$folder/second" --database "$again" >/dev/null
what="the backup on a server"; same --data "$folder/second" --database "$again"

mv "$folder/node/manara.db" "$folder/old.db"; rm -f "$folder"/node/manara.db-*
"$manara" "${there[@]}" migrate-store --to embedded >/dev/null
what="the node that came back"; there_again=("${there[@]}"); same "${there_again[@]}"
new=$(database begun)
"$manara" init --data "$folder/begun" --database "$new" --org "CERT Begun" --country TR --admin a@cert.example >/dev/null
printf 'database = "%s"\n' "$new" > "$folder/begun/manara.toml"
echo 'evil.example.com' | "$manara" import --data "$folder/begun" --tlp green - >/dev/null
"$manara" search --data "$folder/begun" 'evil[.]example.com' --json | grep -q '"total": 1' || { echo "FAILED: a node begun on a server"; exit 1; }
if "$manara" doctor --data "$folder/begun" --deep --json | grep -q '"bad"'; then echo "FAILED: doctor on a server"; exit 1; fi
echo "both engines say the same"
