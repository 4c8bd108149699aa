#!/usr/bin/env bash
# The built binary, as a user starts it: a node, records in, found, cleared, out again.
set -euo pipefail
cd "$(dirname "$0")/.."
manara=$(realpath "${1:-target/debug/manara}")
folder=$(mktemp -d); data=$folder/node
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
passed=0
check() { # what, command…
  local what=$1; shift
  # What looks at the answer of the last command must not overwrite it.
  case $1 in json | says) if "$@"; then passed=$((passed + 1)); return; else echo "FAILED: $what"; exit 1; fi ;; esac
  if "$@" >"$folder/out" 2>"$folder/err"; then passed=$((passed + 1)); else echo "FAILED: $what"; cat "$folder/out" "$folder/err"; exit 1; fi
}
exits() { # code, command…
  local code=$1 got=0; shift
  "$@" >"$folder/out" 2>"$folder/err" || got=$?
  [ "$got" = "$code" ] || { echo "exit $got instead of $code: $*"; return 1; }
}
says() { grep -qF -- "$1" "$folder/out" "$folder/err" || { echo "did not say: $1"; return 1; }; }
json() { python3 -c "import json,sys; d=json.load(open(sys.argv[1])); assert $2, d" "$1"; }

check "init" "$manara" init --data "$data" --org "CERT Smoke" --country MY --admin admin@cert.example --json
cp "$folder/out" "$folder/init.json"
check "init's keys" json "$folder/init.json" "all(d[k] for k in ('node','org','admin','password','api_key'))"
check "the folder is private" test "$(stat -c %a "$data")" = 700
check "the key is private" test "$(stat -c %a "$data/node.key")" = 600
check "a second init is refused" exits 1 "$manara" init --data "$data" --org X --country MY --admin a@b.c
check "and says why" says "holds a node already"
check "no node" exits 1 "$manara" verify --data "$folder/nothing"
check "says how to make one" says "manara init"
check "org add" "$manara" org add --data "$data" --name "Bank" --country TR
check "a wrong country" exits 1 "$manara" org add --data "$data" --name "Other" --country Turkey
check "user add" "$manara" user add --data "$data" --org Bank --email analyst@bank.example --role user --json
cp "$folder/out" "$folder/bank.json"

check "import" exits 0 "$manara" import --data "$data" --tlp clear --distribution 3 --json fixtures/misp
check "import's report" json "$folder/out" "d['added'] == 26 and d['records'] == 26 and d['rejected'] == [] and d['observables'] > 2000"
check "the same twice" exits 0 "$manara" import --data "$data" --tlp clear --distribution 3 --json fixtures/misp
check "changes nothing" json "$folder/out" "d['added'] == 0 and d['updated'] == 0 and d['unchanged'] == 26"
printf 'evil.com\nno value at all !\n1.2.3.4\n' > "$folder/list.txt"
check "some rejected is 3" exits 3 "$manara" import --data "$data" --json "$folder/list.txt"
check "with its line" json "$folder/out" "d['rejected'][0]['place'] == 'line 2'"
echo '{"Event": {"info": "x",}}' > "$folder/broken.json"
check "nothing done is 1" exits 1 "$manara" import --data "$data" "$folder/broken.json"
check "with line and column" says "line 1, column"
check "a directory without anything" exits 1 "$manara" import --data "$data" "$folder/no such file"
check "standard input" bash -c "echo 'see hxxp://bad[.]example[.]com/x' | '$manara' import --data '$data' --tlp green -"

printf 'evil[.]com # seen\n10.9.0.0/16\nhxxp://paths.example.net/a\n\nno value at all !\n' > "$folder/bad.txt"
check "index build" "$manara" index build -o "$folder/bad.index" --json "$folder/bad.txt"
check "its report" json "$folder/out" "d['indicators'] == 3 and d['refused'] == 1"
check "index verify" "$manara" index verify "$folder/bad.index"
check "index info" "$manara" index info --json "$folder/bad.index"
check "its types" json "$folder/out" "d['types'] == {'network': 1, 'domain': 1, 'url': 1}"
printf '# "id","dateadded","url"\n"1","2026-11-30","http://csv.example.net/x"\n"2","2026-11-30","evil.com/y"\n' > "$folder/urls.csv"
check "index build of CSV and MISP" "$manara" index build -o "$folder/more.index" --json "$folder/urls.csv" fixtures/misp
check "its counts" json "$folder/out" "d['indicators'] == 897 and d['undetected'] == 1580 and d['rejected_total'] == 0"
check "index build with a delta" "$manara" index build -o "$folder/new.index" --delta "$folder/bad.index" --key 1 --json "$folder/bad.txt" "$folder/urls.csv"
check "only what is new" json "$folder/out" "d['indicators'] == 2 and d['in_base'] == 3"
check "index info of it" "$manara" index info "$folder/new.index"
check "says what it adds to" says "adds to"
cp "$folder/new.index" "$folder/kept.index"
check "a list that is not there is named" exits 3 "$manara" index build -o "$folder/new.index" "$folder/no such list"
check "and replaces none" cmp "$folder/new.index" "$folder/kept.index"
check "some unread is 3" exits 3 "$manara" index build -o "$folder/other.index" "$folder/no such list" "$folder/bad.txt"
check "index build of the node" "$manara" index build -o "$folder/public.index" --data "$data" --audience public --json
check "what is cleared" json "$folder/out" "d['indicators'] > 200 and 'reserved' in d['held_back']"
check "unmarked is in no index for others" bash -c "! grep -aqF 'evil.com' '$folder/public.index'"
check "index build of a node needs an audience" exits 2 "$manara" index build -o "$folder/x.index" --data "$data"
printf 'nothing here, notevil.com\nGET http://www.EVIL.com:80/ from 10.9.8.7\n' > "$folder/access.log"
gzip -k "$folder/access.log"
check "match" exits 0 "$manara" match --index "$folder/bad.index" "$folder/access.log"
check "says where" says "access.log:2:12: domain evil.com www.EVIL.com"
check "match in gzip, as JSON" bash -c "'$manara' match --index '$folder/bad.index' --format jsonl '$folder/access.log.gz' | tail -1"
check "its keys" json "$folder/out" "list(d)[:6] == ['file', 'line', 'column', 'type', 'indicator', 'matched'] and d['matched'] == '10.9.8.7'"
check "nothing found is 1" bash -c "echo clean | '$manara' match --index '$folder/bad.index' -; test \$? = 1"
check "an error is 2" exits 2 "$manara" match --index "$folder/bad.index" "$folder/no such log"
check "no index is 2" exits 2 "$manara" match --index "$folder/bad.txt" "$folder/access.log"
check "and says so" says "no index of indicators"

check "search" "$manara" search --data "$data" --json 'EVIL[.]com' unknown.example.com
check "search's answer" json "$folder/out" "d[0]['value'] == 'evil.com' and d[0]['type'] == 'domain' and len(d[0]['records']) == 1 and d[0]['records'][0]['owner'] == 'CERT Smoke' and d[1]['records'] == []"
check "search in a text" bash -c "echo 'what of 1[.]2.3.4, please?' | '$manara' search --data '$data' --json -"
check "finds it" json "$folder/out" "d[0]['value'] == '1.2.3.4' and d[0]['records']"
check "unmarked stays" bash -c "'$manara' export --data '$data' --format text --audience org:Bank | grep -c '^evil.com$' | grep -qx 0"
check "for ourselves it goes" bash -c "'$manara' export --data '$data' --format text --audience self | grep -qx evil.com"
check "export misp" "$manara" export --data "$data" --format misp --audience public -o "$folder/public.json"
check "its shape" json "$folder/public.json" "len(d['response']) == 17 and all('Event' in e for e in d['response'])"
check "no creator's address leaves" bash -c "! grep -q event_creator_email '$folder/public.json'"
check "export misp-feed" "$manara" export --data "$data" --format misp-feed --audience self -o "$folder/feed"
check "its manifest" json "$folder/feed/manifest.json" "len(d) >= 26"
check "wrong audience" exits 1 "$manara" export --data "$data" --format misp --audience org:Nobody
check "wrong format" exits 1 "$manara" export --data "$data" --format nonsense --audience self
check "says which there are" says "rpz"
uuid=$(python3 -c "import json; print(json.load(open('$folder/public.json'))['response'][0]['Event']['uuid'])")
check "why" "$manara" why --data "$data" "$uuid" --audience public
check "says yes" says "yes: event"
check "verify" "$manara" verify --data "$data"
check "config" "$manara" config --data "$data"
check "formats" "$manara" formats
check "completions" "$manara" completions bash
check "a reader that has seen enough is no error" bash -c "set -o pipefail; '$manara' export --data '$data' --format csv --audience self | head -1"
check "nor for JSON" bash -c "set -o pipefail; '$manara' record list --data '$data' --json | head -1"
check "man pages" "$manara" man "$folder/man"
check "the man page is there" test -s "$folder/man/manara.1"

check "audit" "$manara" audit --data "$data" --json
check "has the log's newest entries" json "$folder/out" "len(d) > 30 and d[0]['seq'] == len(d) and d[0]['actor'] == 'cli'"
check "doctor" "$manara" doctor --data "$data" --deep --json
check "finds nothing bad" json "$folder/out" "all(f['grade'] != 'bad' for f in d) and any(f['what'] == 'integrity' for f in d)"
check "doctor names what to look at" "$manara" doctor --data "$data"
check "with advice" says "manara user totp"
chmod 755 "$data"
check "an open folder is bad" exits 1 "$manara" doctor --data "$data"
check "and how to mend it" says "chmod go="
chmod 700 "$data"
check "a second factor" "$manara" user totp --data "$data" --email analyst@bank.example --json
check "as an address for apps" json "$folder/out" "d['url'].startswith('otpauth://totp/') and len(d['secret']) == 32"
check "is taken away" "$manara" user totp --data "$data" --email analyst@bank.example --remove
check "an easy password is refused" bash -c "! echo password1234 | '$manara' user password --data '$data' --email analyst@bank.example --stdin"
check "a good one is taken" bash -c "echo 'four words are enough' | '$manara' user password --data '$data' --email analyst@bank.example --stdin"
check "backup" "$manara" backup --data "$data" "$folder/node.backup" --json
check "its manifest" json "$folder/out" "d['format'] == 'manara-backup-1' and len(d['sha256']) == 64"
check "restore" "$manara" restore "$folder/node.backup" --data "$folder/restored" --json
check "is verified" json "$folder/out" "d['verify']['problems'] == [] and d['verify']['records'] > 20"
check "backup into a pipe" bash -c "set -o pipefail; '$manara' backup --data '$data' - | '$manara' restore - --data '$folder/piped'"
check "restore over a node is refused" exits 1 "$manara" restore "$folder/node.backup" --data "$folder/restored"
check "the copy exports the same" bash -c "cmp <('$manara' export --data '$data' --format text --audience self) <('$manara' export --data '$folder/restored' --format text --audience self)"
check "no database server there" exits 1 "$manara" verify --data "$data" --database postgres://nobody@127.0.0.1:1/none
check "says so" says "can't be reached"

"$manara" serve --data "$data" --listen 127.0.0.1:0 --log debug --slow-ms 0 --backup-dir "$folder/backups" >"$folder/serve.out" 2>"$folder/serve.err" &
server=$!
for _ in $(seq 100); do grep -q 'listening on http' "$folder/serve.out" && break; sleep 0.05; done
url=$(sed -n 's/^listening on //p' "$folder/serve.out")
key=$(python3 -c "import json; print(json.load(open('$folder/init.json'))['api_key'])")
bank=$(python3 -c "import json; print(json.load(open('$folder/bank.json'))['api_key'])")
call() { curl -fsS --max-time 20 -H "Authorization: Bearer $key" "$@"; }
check "health" call "$url/healthz"
check "ready" call "$url/readyz"
check "metrics" call "$url/metrics"
check "search over HTTP" call "$url/api/v1/search?value=evil.com"
check "its answer" json "$folder/out" "d[0]['total'] == 1"
check "the other organisation does not see it" curl -fsS -H "Authorization: Bearer $bank" "$url/api/v1/search?value=evil.com"
check "nor counts it" json "$folder/out" "d[0]['total'] == 0 and d[0]['first_seen'] is None"
check "import over HTTP" call -X POST --data-binary @fixtures/stix/amnesty-novispy.json "$url/api/v1/import?tlp=green"
check "its report" json "$folder/out" "d['format'] == 'stix' and d['added'] > 30"
check "the command line beside the server" "$manara" import --data "$data" --tlp green fixtures/csaf
check "is seen by the server" call "$url/api/v1/records?kind=advisory"
check "at once" json "$folder/out" "len(d['records']) == 19"
check "an error is problem+json" bash -c "curl -sS -H 'Authorization: Bearer $key' '$url/api/v1/export?format=nonsense&audience=self' | grep -q '\"status\":400'"
check "no key, no answer" bash -c "curl -sS -o /dev/null -w '%{http_code}' '$url/api/v1/records' | grep -q 401"
etag=$(curl -fsS -D - -o /dev/null -H "Authorization: Bearer $key" "$url/api/v1/export?format=rpz&audience=public" | tr -d '\r' | sed -n 's/^etag: //p')
check "unchanged is 304" bash -c "sleep 1.1; curl -sS -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer $key' -H 'If-None-Match: $etag' '$url/api/v1/export?format=rpz&audience=public' | grep -q 304"
check "a second node on the folder" exits 1 "$manara" serve --data "$data" --listen 127.0.0.1:0
check "says so and stops" says "served by another node"
check "an account is kept out" "$manara" user disable --data "$data" --email analyst@bank.example
check "at once" bash -c "curl -sS -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer $bank' '$url/api/v1/records' | grep -q 401"
check "a scheduled backup is made" bash -c "for _ in \$(seq 400); do ls '$folder'/backups/manara-*.backup && exit 0; sleep 0.1; done; exit 1"
check "slow requests and questions are logged" bash -c "grep -q 'slow request' '$folder/serve.err' && grep -q 'slow query' '$folder/serve.err'"
check "the log has no value, name, title or key" bash -c "! grep -qiE 'evil.com|analyst@|admin@cert|$key|$bank|novispy' '$folder/serve.err'"
check "every line of it is JSON" python3 -c "import json,sys; [json.loads(line) for line in open(sys.argv[1])]" "$folder/serve.err"
kill -TERM "$server"
check "SIGTERM ends it cleanly" wait "$server"
server=
check "all agrees afterwards" "$manara" verify --data "$data"

# Patterns need no node.
seen() { # value
  printf '{"type":"bundle","objects":[{"type":"domain-name","id":"domain-name--1","value":"%s"},{"type":"observed-data",' "$1"
  printf '"id":"observed-data--1","object_refs":["domain-name--1"],"number_observed":1,"first_observed":"2026-01-01T00:00:00Z",'
  printf '"last_observed":"2026-01-01T00:00:00Z"}]}\n'
}
evil="[domain-name:value = 'evil.example']"
{ seen good.example; echo; seen evil.example; } >"$folder/seen.jsonl"
{ seen good.example; seen worse.example; echo '{"type":"bundle","objects":[,]}'; seen evil.example; } >"$folder/broken.jsonl"
echo "[$(seen good.example),$(seen evil.example)]" | python3 -m json.tool >"$folder/list.json"
check "a pattern" exits 0 "$manara" pattern check "$evil"
check "no pattern" exits 1 "$manara" pattern check "[domain-name:value = evil.example]"
check "the place is shown" says "  |                      ^^^^"
check "it is explained" exits 0 "$manara" pattern explain "$evil"
check "with the value to look up" says "domain-name:value = 'evil.example'"
check "it matches a row" exits 0 "$manara" pattern match --pattern "$evil" --data "$folder/seen.jsonl"
check "and says so" says "true"
check "and a list of bundles" exits 0 "$manara" pattern match --json --pattern "$evil" --data "$folder/list.json"
check "as JSON" json "$folder/out" "d['matched'] is True and d['observations'] == ['observed-data--1']"
check "no match" exits 1 "$manara" pattern match --pattern "[domain-name:value = 'x']" --data "$folder/seen.jsonl"
check "is false" says "false"
check "a broken row" exits 2 "$manara" pattern match --pattern "$evil" --data "$folder/broken.jsonl"
check "is named" says "line 3: column 29"
check "no data" exits 2 "$manara" pattern match --pattern "$evil" --data "$folder/nothing"
echo "$passed passed, 0 failed"
