#!/usr/bin/env bash
# A demo node: an organisation and its administrator, two more organisations with users, real records
# under different markings; then serves it. Run again, it only serves.
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:-demo}; listen=${2:-127.0.0.1:8765}
manara=${MANARA:-target/release/manara}
secrets=$data/credentials.json
field() { python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]][sys.argv[3]])' "$secrets" "$1" "$2"; }

# Some rows of real lists are no values; that is told, and is no failure of the demo.
take() { "$manara" import --data "$data" "$@" 2>/dev/null | tail -1 || [ $? -eq 1 ]; }

if [ ! -e "$data/manara.db" ]; then
  echo "making a demo node in $data"
  admin=$("$manara" init --data "$data" --org "CERT Manara" --country MY --admin admin@cert.example --json)
  "$manara" org add --data "$data" --name "Bank Example" --country TR
  "$manara" org add --data "$data" --name "Telecom Example" --country NG
  bank=$("$manara" user add --data "$data" --org "Bank Example" --email analyst@bank.example --role user --json)
  telecom=$("$manara" user add --data "$data" --org "Telecom Example" --email analyst@telecom.example --role reader --json)
  (umask 077; printf '{"admin": %s, "bank": %s, "telecom": %s}\n' "$admin" "$bank" "$telecom" > "$secrets")
  echo "knowledge:  $(take --tlp clear fixtures/knowledge)"
  echo "public:     $(take --tlp clear --distribution 3 fixtures/misp/eset-[a-m]*.json fixtures/csaf fixtures/stix/amnesty-*)"
  echo "community:  $(take --tlp green --distribution 1 fixtures/misp/eset-[n-t]*.json fixtures/indicators/ipsum.txt.zst)"
  echo "our own:    $(take fixtures/misp/eset-[w-z]*.json)"
  echo "a bank's:   $(take --org "Bank Example" --tlp green fixtures/indicators/apt_sidewinder.txt.zst)"
fi
cat <<TEXT

  address     http://$listen
  log-in      $(field admin admin)
  password    $(field admin password)
  API key     $(field admin api_key)

  as others see it:
    analyst@bank.example     $(field bank password)
    analyst@telecom.example  $(field telecom password)

TEXT
exec "$manara" serve --data "$data" --listen "$listen" --log warn
