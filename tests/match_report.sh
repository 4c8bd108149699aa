#!/usr/bin/env bash
# The two commands that the README gives to a newcomer, as they stand there: from a list and a log to a page.
set -euo pipefail
cd "$(dirname "$0")/.."
manara=$(realpath "${1:-target/debug/manara}")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp fixtures/first-look/* "$folder"
passed=0
fail() { echo "FAILED: $*"; exit 1; }
says() { if grep -qF -- "$1" "$folder/report.html"; then passed=$((passed + 1)); else fail "the report does not say: $1"; fi; }
silent() { if grep -qF -- "$1" "$folder/report.html"; then fail "the report says: $1"; else passed=$((passed + 1)); fi; }

# The commands are read out of the README, so that they can't go their own ways.
mapfile -t commands < <(sed -n '/^## From a list and a log to a report/,/^## /p' README.md | grep -E '^manara (index|match) ' | head -2)
[ ${#commands[@]} = 2 ] || fail "the README has not two commands"
mkdir "$folder/bin" && ln -s "$manara" "$folder/bin/manara"
export PATH="$folder/bin:$PATH" LC_ALL=C.UTF-8
run() { # expected exit code, command line
  local got=0
  (cd "$folder" && eval "$2") >"$folder/out" 2>"$folder/err" || got=$?
  [ "$got" = "$1" ] || { cat "$folder/out" "$folder/err"; fail "exit $got instead of $1: $2"; }
  passed=$((passed + 1))
}
run 0 "${commands[0]%%#*}"
run 0 "${commands[1]%%#*}"
says 'lang="en" dir="ltr"'
says 'known signs of an attack'
says '192.168.1.23'
says '192.168.1.42'
says 'invoice-portal[.]example'
says 'cdn-update[.]example'
says '2026-11-26'
silent '://cdn-update.example'
silent '<script'
silent 'notcdn-update[.]example/'
says "default-src 'none'"

# In the other languages, with whom to call; nothing found; a file that is not there.
run 0 "manara match --index bad.index --report report.html --lang ar --contact 'CERT Example +60 3 0000' access.log"
says 'lang="ar" dir="rtl"'
says 'CERT Example +60 3 0000'
run 0 "LC_ALL=fr_FR.UTF-8 manara match --index bad.index --report report.html access.log"
says 'lang="fr" dir="ltr"'
grep -vi -e 198.51.100 -e 203.0.113 -e invoice-portal -e cdn-update -e shipping "$folder/access.log" > "$folder/calm.log"
run 1 "manara match --index bad.index --report report.html calm.log"
says 'Nothing known to be harmful was found'
run 2 "manara match --index bad.index --report report.html access.log gone.log"
says 'Some of the logs could not be read'
says 'gone.log'
run 2 "manara match --index bad.index --report nowhere/report.html access.log"
run 2 "manara match --index bad.index --report report.html --lang xx access.log"
# Night after night with one state: finds are kept, and unchanged logs are no wrong files.
today=$(date -u +%F)
run 0 "manara match --index bad.index --state night.state --report night.html access.log"
silent_of() { if grep -qF -- "$2" "$folder/$1"; then fail "$1 says: $2"; else passed=$((passed + 1)); fi; }
says_of() { if grep -qF -- "$2" "$folder/$1"; then passed=$((passed + 1)); else fail "$1 does not say: $2"; fi; }
silent_of night.html 'Only what was new'
cp "$folder/night.html" "$folder/first.html"
run 1 "manara match --index bad.index --state night.state --report night.html access.log"
says_of err "earlier page kept as night.$today.html"
says_of night.html 'Nothing new since the last search'
silent_of night.html 'Nothing was read'
cmp "$folder/first.html" "$folder/night.$today.html" || fail "the earlier page was changed"
run 1 "manara match --index bad.index --state night.state --report night.html access.log"
silent_of err 'earlier page kept'
# Without a state a page of the same search takes the place of the one before.
run 0 "manara match --index bad.index --report report.html access.log"
run 0 "manara match --index bad.index --report report.html access.log"
silent_of err 'earlier page kept'

# An address: one that the machine went to is a strong sign, one that called is none.
echo 203.0.113.77 > "$folder/address.txt"
echo '1764288000.1 45 10.0.0.17 TCP_TUNNEL/200 39 CONNECT 203.0.113.77:443 - HIER_DIRECT/203.0.113.77 -' > "$folder/out.log"
echo '203.0.113.77 - - [28/Nov/2026:04:00:01 +0000] "GET / HTTP/1.1" 404 10.0.0.17' > "$folder/in.log"
run 0 "manara index build -o address.index address.txt"
run 0 "manara match --index address.index --report report.html out.log"
says '<h3>Strong signs'
says 'do not unplug it'
silent '<h3>Weak signs'
run 0 "manara match --index address.index --report report.html in.log"
says '<h3>Weak signs'
silent '<h3>Strong signs'

# What is allowed is said; a list of URLs is not seen in paths.
run 1 "manara match --index address.index --allow address.txt --report report.html in.log"
says 'One find was left out'
says 'but for what was left out as harmless'
silent 'logs that have only paths'
echo 'http://paths.example/load.php' > "$folder/urls.txt"
run 0 "manara index build -o urls.index urls.txt"
run 1 "manara match --index urls.index --report report.html in.log"
says 'logs that have only paths'
echo "$passed passed, 0 failed"
