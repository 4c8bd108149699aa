#!/usr/bin/env bash
# The TAXII client of the built binary against a node that serves: found out, pushed to, polled, by hand and by itself.
set -euo pipefail
cd "$(dirname "$0")/.."
manara=$(realpath "${1:-target/debug/manara}")
folder=$(mktemp -d); a=$folder/a; b=$folder/b
servers=
trap 'for server in $servers; do kill "$server" 2>/dev/null || true; done; rm -rf "$folder"' EXIT
unset MANARA_TAXII_KEY MANARA_TAXII_PASSWORD MANARA_DATA
passed=0
check() { # what, command…
  local what=$1; shift
  case $1 in json | says) if "$@"; then passed=$((passed + 1)); return; else echo "FAILED: $what"; exit 1; fi ;; esac
  if "$@" >"$folder/out" 2>"$folder/err"; then passed=$((passed + 1)); else echo "FAILED: $what"; cat "$folder/out" "$folder/err"; exit 1; fi
}
exits() { # code, command…
  local code=$1 got=0; shift
  "$@" >"$folder/out" 2>"$folder/err" || got=$?
  [ "$got" = "$code" ] || { echo "exit $got instead of $code: $*"; cat "$folder/out" "$folder/err"; return 1; }
}
says() { grep -qF -- "$1" "$folder/out" "$folder/err" || { echo "did not say: $1"; cat "$folder/out" "$folder/err"; return 1; }; }
json() { python3 -c "import json,sys; d=json.load(open(sys.argv[1])); assert $2, d" "$1"; }
serve() { # data
  "$manara" serve --data "$1" --listen 127.0.0.1:0 >"$1.out" 2>"$1.err" &
  servers="$servers $!"
  for _ in $(seq 100); do grep -q 'listening on http' "$1.out" && break; sleep 0.05; done
}

"$manara" init --data "$a" --org "CERT Lion" --country MY --admin a@lion.example --json >"$folder/a.json"
"$manara" init --data "$b" --org "CERT Owl" --country TR --admin b@owl.example --json >"$folder/b.json"
python3 -c "import json; print(json.load(open('$folder/a.json'))['api_key'])" >"$folder/key"
python3 -c "import json; print(json.load(open('$folder/a.json'))['password'])" >"$folder/password"
"$manara" collection add --data "$a" --title "Drop box" --kind box --json >"$folder/box.json"
id=$(python3 -c "import json; print(json.load(open('$folder/box.json'))['id'])")
serve "$a"
url=$(sed -n 's/^listening on //p' "$a.out")
key=(--key-file "$folder/key")

check "discover by the server's name" "$manara" taxii discover "$url" "${key[@]}" --json
check "says what it is" json "$folder/out" "'CERT Lion' in d['title'] and d['api_roots'][0]['max_content_length'] > 0 and d['api_roots'][0]['error'] is None"
root=$(python3 -c "import json; print(json.load(open('$folder/out'))['api_roots'][0]['url'])")
check "discover by an API root, for people" "$manara" taxii discover "$root" "${key[@]}"
check "with its size" says "max_content_length"
check "an account and its password" "$manara" taxii discover "$url" --user a@lion.example --password-file "$folder/password"
check "a password in the environment" env MANARA_TAXII_PASSWORD="$(cat "$folder/password")" "$manara" taxii discover "$url" --user a@lion.example
check "an account without a password" exits 1 "$manara" taxii discover "$url" --user a@lion.example
check "says where it may be" says "MANARA_TAXII_PASSWORD"
check "without credentials" exits 1 "$manara" taxii discover "$url"
check "says that there must be some" says "HTTP 401"
check "what is no TAXII" exits 1 "$manara" taxii discover "$url/login"
check "what is no address" exits 1 "$manara" taxii discover "taxii.example"
check "collections" "$manara" taxii collections "$url" "${key[@]}" --json
check "has the box" json "$folder/out" "[c['url'] for c in d['collections'] if c['title'] == 'Drop box' and c['can_read'] and c['can_write']] == ['${root}collections/$id/']"
check "as a table" "$manara" taxii collections "$root" "${key[@]}"
check "with its title" says "Drop box"
box="${root}collections/$id/"

check "push" "$manara" taxii push "$box" fixtures/stix/amnesty-novispy.json fixtures/stix/amnesty-cytrox.json.zst "${key[@]}" --json
check "all is taken" json "$folder/out" "d['failure_count'] == 0 and d['success_count'] == d['objects'] > 37"
count=$(python3 -c "import json; print(json.load(open('$folder/out'))['objects'])")
check "push from standard input" bash -c "cat fixtures/stix/amnesty-novispy.json | '$manara' taxii push '$box' - --key-file '$folder/key'"
check "says how many" says "37 taken, 0 failed"
echo '{"type":"note","id":"note--1"}' >"$folder/bad.json"
check "a bad object fails" exits 1 "$manara" taxii push "$box" "$folder/bad.json" "${key[@]}"
check "and is told" says "failed: note--1"
echo '{"type":"bundle","objects":[' >"$folder/half.json"
check "half a file is not sent" exits 2 "$manara" taxii push "$box" "$folder/half.json" "${key[@]}"
check "a collection that is none" exits 2 "$manara" taxii push "${root}collections/00000000-0000-4000-8000-000000000000/" "$folder/bad.json" "${key[@]}"

check "poll to the screen" "$manara" taxii poll "$box" "${key[@]}" --format jsonl --limit 20
cp "$folder/out" "$folder/objects.jsonl"
check "each object once" bash -c "sort '$folder/objects.jsonl' | uniq -d | wc -l | grep -qx 0"
there=$(wc -l <"$folder/objects.jsonl")
check "as many as there are" test "$there" -gt 37 -a "$there" -le "$count"
check "poll to a file" "$manara" taxii poll "$box" "${key[@]}" -o "$folder/out.json" --type indicator
check "a bundle of one type" json "$folder/out.json" "d['type'] == 'bundle' and {o['type'] for o in d['objects']} == {'indicator'}"
check "after now there is nothing" "$manara" taxii poll "$box" "${key[@]}" --added-after 2100-01-01 --format jsonl
check "nothing at all" test ! -s "$folder/out"
check "no file of what failed" exits 1 "$manara" taxii poll "${root}collections/none/" "${key[@]}" -o "$folder/none.json"
check "not even a part" bash -c "! ls '$folder'/none.*"
check "a root is no collection" exits 1 "$manara" taxii poll "$root" "${key[@]}"
check "says how to find one" says "manara taxii collections"

check "poll into a node" "$manara" taxii poll "$box" "${key[@]}" --data "$b" --org "CERT Owl" --tlp green --limit 50 --json
check "all of it" json "$folder/out" "d['added'] == $there and d['rejected_total'] == 0 and d['pages'] > 1"
check "again" "$manara" taxii poll "$box" "${key[@]}" --data "$b" --json
check "nothing is new" json "$folder/out" "d['objects'] == 0"
check "from the start" "$manara" taxii poll "$box" "${key[@]}" --data "$b" --from-start --json
check "nothing is there twice" json "$folder/out" "d['added'] == 0 and d['updated'] == 0 and d['unchanged'] == $there"
check "all agrees" "$manara" verify --data "$b"

echo '{"type":"domain-name","spec_version":"2.1","id":"domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7","value":"by-itself.example"}' >"$folder/one.json"
check "something new" "$manara" taxii push "$box" "$folder/one.json" "${key[@]}"
serve "$b"
check "a source" "$manara" taxii poll "$box" "${key[@]}" --data "$b" --every 1h
check "a wrong secret is no source" bash -c "echo nonsense >'$folder/wrong'; ! '$manara' taxii poll '$box' --key-file '$folder/wrong' --data '$b' --every 1h"
check "no such time" exits 1 "$manara" taxii poll "$box" "${key[@]}" --data "$b" --every 5s
check "comes by itself" bash -c "for _ in \$(seq 90); do '$manara' search --data '$b' --json by-itself.example | grep -q '\"owner\": \"CERT Owl\"' && exit 0; sleep 0.5; done; exit 1"
check "sources" "$manara" taxii sources --data "$b" --json
check "say how it goes" json "$folder/out" "len(d) == 1 and d[0]['every_seconds'] == 3600 and d[0]['error'] is None and d[0]['came']['added'] == 1"
cp "$folder/out" "$folder/sources.json"
check "and no secret" bash -c "! grep -qF \"\$(cat '$folder/key')\" '$folder/sources.json'"
check "sources for people" "$manara" taxii sources --data "$b"
check "forget" "$manara" taxii forget "$box" --data "$b"
check "what is not there" exits 1 "$manara" taxii forget "$box" --data "$b"
check "no secret in the logs" bash -c "! grep -qF \"\$(cat '$folder/key')\" '$a.err' '$b.err'"

check "what is cleared is pushed" "$manara" taxii push "$box" --audience public --data "$b" "${key[@]}" --json
check "nothing that is not" json "$folder/out" "d['failure_count'] == 0"
echo "TAXII client: $passed checks passed"
