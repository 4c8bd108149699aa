#!/usr/bin/env bash
# `manara match` as a user starts it: packed logs in folders, formats, allowed values, following, stopping and going on.
set -euo pipefail
cd "$(dirname "$0")/.."
manara=$(realpath "${1:-target/debug/manara}")
folder=$(mktemp -d)
following=
trap '[ -z "$following" ] || kill "$following" 2>/dev/null || true; rm -rf "$folder"' EXIT
passed=0
check() { # what, command…
  local what=$1; shift
  # What looks at the answer of the last command must not overwrite it.
  case $1 in test | grep | cmp) if "$@" >/dev/null; then passed=$((passed + 1)); return; else echo "FAILED: $what"; head -20 "$folder/out" "$folder/err"; exit 1; fi ;; esac
  if "$@" >"$folder/out" 2>"$folder/err"; then passed=$((passed + 1)); else echo "FAILED: $what"; head -20 "$folder/out" "$folder/err"; exit 1; fi
}
exits() { # code, command…
  local code=$1 got=0; shift
  "$@" || got=$?
  [ "$got" = "$code" ] || { echo "exit $got instead of $code: $*"; return 1; }
}
until_says() { # text, file: waits for it
  for _ in $(seq 300); do ! grep -qF -- "$1" "$2" || return 0; sleep 0.1; done
  echo "never said: $1"; return 1
}

printf 'evil[.]com\n10.9.0.0/16\nhxxp://paths.example.net/a\n' > "$folder/bad.txt"
check "index build" "$manara" index build -o "$folder/bad.index" "$folder/bad.txt"
match() { "$manara" match --index "$folder/bad.index" "$@"; }
mkdir -p "$folder/logs/deeper"
for n in $(seq 20000); do echo "2026-01-02T03:04:05Z $n 10.0.0.$((n % 200)) GET http://www.example.org/$n"; done > "$folder/logs/a.log"
sed -i '7s/$/ www.EVIL.com/; 19000s/$/ 10.9.8.7/' "$folder/logs/a.log"
echo '{"http":{"hostname":"evil.com"},"src_ip":"10.0.0.5"}' > "$folder/logs/deeper/eve.json"
python3 - "$folder/logs" <<'P'
import bz2, gzip, lzma, pathlib, sys
logs = pathlib.Path(sys.argv[1])
text = (logs / "a.log").read_bytes()
(logs / "b.gz").write_bytes(gzip.compress(text[:5000]) + gzip.compress(text[5000:]))
(logs / "c").write_bytes(lzma.compress(text))
(logs / "d.bz2").write_bytes(bz2.compress(text))
P
mkfifo "$folder/logs/pipe"

check "a folder, whatever is in it" match "$folder/logs"
check "nine hits" test "$(wc -l < "$folder/out")" = 9
check "with their lines" grep -q '/c:19000:.*10.9.8.7$' "$folder/out"
cp "$folder/out" "$folder/one"
check "a pipe in it is skipped with a word" bash -c "'$manara' match --index '$folder/bad.index' '$folder/logs' 2>&1 >/dev/null | grep -q 'pipe: no file, skipped'"
check "any number of threads" bash -c "for n in 1 2 3 8; do '$manara' match --threads \$n --index '$folder/bad.index' '$folder/logs' 2>/dev/null | cmp - '$folder/one'; done"
check "the field" bash -c "'$manara' match --index '$folder/bad.index' --format jsonl '$folder/logs/deeper' | grep -q '\"matched\":\"evil.com\",\"field\":\"http.hostname\",\"records\":'"
check "csv" bash -c "'$manara' match --index '$folder/bad.index' --format csv '$folder/logs/deeper' | head -1 | grep -q '^file,line,column,type,indicator,matched,field'"
check "counts" bash -c "'$manara' match --index '$folder/bad.index' --count '$folder/logs' 2>/dev/null | grep -q 'b.gz:2$'"
check "the most frequent" match --top=1 "$folder/logs"
check "indicators" grep -q 'domain  evil.com' "$folder/out"
check "and hosts" grep -q '4  10.0.0.0  10.9.0.0.16' "$folder/out"
check "a summary" match --format summary "$folder/logs"
check "of all of it" grep -q '^5 files, 80001 lines' "$folder/out"
echo 'evil.com' > "$folder/allow.txt"
check "what is allowed is not told" match --allow "$folder/allow.txt" --format summary "$folder/logs"
check "and counted" grep -q '^5 hits left out' "$folder/out"
check "lists that come with the program" exits 1 match --allow builtin --allow "$folder/bad.txt" "$folder/logs"
check "around a hit" bash -c "'$manara' match --index '$folder/bad.index' -C 1 '$folder/logs/a.log' | grep -c '^.*a.log-[0-9]*-' | grep -qx 4"

head -c 4000 "$folder/logs/b.gz" > "$folder/cut.gz"
check "a log that is cut is 2" exits 2 match "$folder/cut.gz" "$folder/logs/a.log"
check "says where" grep -q 'cut.gz: the gzip data is cut short at byte' "$folder/err"
check "and the next one is searched" grep -q 'a.log:19000:' "$folder/out"
check "nothing is 1" exits 1 match /dev/null
check "a wrong network is 2" exits 2 match --internal nowhere /dev/null
check "an allow list that is none is 2" exits 2 match --allow "$folder/no such list" /dev/null
check "a reader that has seen enough" bash -c "set -o pipefail; '$manara' match --index '$folder/bad.index' '$folder/logs' 2>/dev/null | head -1"

check "a state" match --state "$folder/state" -o "$folder/told" "$folder/logs"
check "has all" cmp "$folder/told" "$folder/one"
check "the second time there is nothing" exits 1 match --state "$folder/state" -o "$folder/told" "$folder/logs"
echo 'late evil.com' >> "$folder/logs/a.log"
check "then only what was added" match --state "$folder/state" -o "$folder/told" "$folder/logs"
check "is added" bash -c "tail -1 '$folder/told' | grep -q 'a.log:20001:6: domain evil.com' && test \$(wc -l < '$folder/told') = 10"
check "a file that is no state is left alone" exits 2 match --state "$folder/bad.txt" "$folder/logs"

# Killed again and again, it still tells each hit once.
for n in $(seq 30); do cat "$folder/logs/a.log"; done > "$folder/many"
mkdir "$folder/year"; for n in $(seq 12); do gzip -1 < "$folder/many" > "$folder/year/$n.gz"; done
check "whole" match -o "$folder/whole" "$folder/year"
for n in $(seq 200); do
  got=0
  timeout -s KILL 0.$((2 + RANDOM % 7)) "$manara" match --index "$folder/bad.index" --state "$folder/year.state" -o "$folder/pieces" "$folder/year" || got=$?
  # 2: the one that was killed is not gone yet.
  [ "$got" = 137 ] || [ "$got" = 2 ] || break
done 2>/dev/null
check "killed $n times, each hit once" cmp "$folder/whole" "$folder/pieces"

# Ctrl-C in the middle, then to the end.
"$manara" match --index "$folder/bad.index" --follow "$folder/live" "$folder/other" > "$folder/followed" 2> "$folder/words" & following=$!
check "a log that is not there is waited for" until_says "live: " "$folder/words"
echo 'one evil.com' > "$folder/live"
check "comes" until_says "live:1:5" "$folder/followed"
mv "$folder/live" "$folder/live.1"; echo 'two' > "$folder/live"; echo 'evil.com' >> "$folder/live"
check "is rotated" until_says "live:2:1" "$folder/followed"
: > "$folder/live"; echo '  evil.com' >> "$folder/live"
check "is cut" until_says "live:1:3" "$folder/followed"
kill -INT "$following"; wait "$following" || true
# Gone on with from a state: the lines are counted on.
printf 'one\nevil.com\n' > "$folder/kept"
check "searched once" match --state "$folder/kept.state" "$folder/kept"
"$manara" match --index "$folder/bad.index" --state "$folder/kept.state" --follow "$folder/kept" > "$folder/followed" & following=$!
sleep 1; echo 'evil.com' >> "$folder/kept"
check "followed from there" until_says "kept:3:1" "$folder/followed"
check "and only from there" test "$(wc -l < "$folder/followed")" = 1
kill -INT "$following"; got=0; wait "$following" || got=$?; following=
check "and Ctrl-C ends it in order" test "$got" = 0

# Written over by as many bytes; and nothing that can be followed.
echo 'evil.com 1' > "$folder/over.log"
"$manara" match --index "$folder/bad.index" --follow "$folder/over.log" "$folder/logs/b.gz" > "$folder/followed" 2> "$folder/words" & following=$!
check "searched" until_says "over.log:1:1" "$folder/followed"
sleep 0.5; echo '1 evil.com' > "$folder/over.log"
check "written over by as many bytes, it is searched again" until_says "over.log:1:3" "$folder/followed"
kill -INT "$following"; got=0; wait "$following" || got=$?; following=
check "one that can't be followed is 2" test "$got" = 2
check "and said once" test "$(grep -c "gzip data can't be followed" "$folder/words")" = 1
check "alone, it ends" exits 2 timeout 20 "$manara" match --index "$folder/bad.index" --follow "$folder/logs/b.gz"

# A log that is being written is told once, however fast.
: > "$folder/busy"
"$manara" match --index "$folder/bad.index" --follow "$folder/busy" > "$folder/followed" 2> "$folder/words" & following=$!
python3 - "$folder/busy" <<'P'
import sys, time
log, end = open(sys.argv[1], "a"), time.time() + 2
while time.time() < end:
    log.write("one evil.com\n"); log.flush(); time.sleep(0.0003)
log.write("last evil.com\n")
P
for _ in $(seq 100); do [ "$(wc -l < "$folder/followed")" -lt "$(wc -l < "$folder/busy")" ] || break; sleep 0.1; done
check "each line once" test "$(wc -l < "$folder/followed")" = "$(wc -l < "$folder/busy")"
kill -INT "$following"; wait "$following" || true; following=

# Hits of two indexes in one file, each with its state; a log that is written over in place.
printf 'other.example.net\n' > "$folder/b2.txt"; "$manara" index build -o "$folder/b2.index" "$folder/b2.txt" > /dev/null
printf 'evil.com\nother.example.net\n' > "$folder/two"
into() { "$manara" match --index "$1" --state "$folder/two.state" -o "$folder/two.hits" "$folder/two" || [ $? = 1 ]; }
check "with one index" into "$folder/bad.index"
check "with another" into "$folder/b2.index"
check "with the first again" into "$folder/bad.index"
check "hits of both are there" test "$(wc -l < "$folder/two.hits")" = 2
printf '%05000d evil.com\n' 1 > "$folder/over"
check "searched" match --state "$folder/over.state" "$folder/over"
sleep 0.05; python3 -c 'import sys; log = open(sys.argv[1], "r+b"); log.write(b"evil.com ")' "$folder/over"
check "written over, it is searched again" match --state "$folder/over.state" "$folder/over"

# Both at once: what two hold is told once, as the first one's; an index that is added is searched for in old logs too.
printf 'evil.com\nnews.example.net\n' > "$folder/b3.txt"; "$manara" index build -o "$folder/b3.index" "$folder/b3.txt" > /dev/null
printf 'evil.com\nother.example.net news.example.net\n' > "$folder/three"
both() { match --index "$folder/b2.index" --index "$folder/b3.index" "$@"; }
check "several indexes" both "$folder/three"
check "each hit once" test "$(cut -d' ' -f3 "$folder/out" | tr '\n' ' ')" = "evil.com other.example.net news.example.net "
check "some of them with a state" match --index "$folder/b2.index" --state "$folder/three.state" "$folder/three"
check "then with one more" both --state "$folder/three.state" "$folder/three"
check "only what it adds" test "$(cut -d' ' -f3 "$folder/out")" = "news.example.net"
check "then nothing" exits 1 both --state "$folder/three.state" "$folder/three"

# Logs and lists that an enemy made take no more memory than others, also where hits are read slowly.
python3 - "$folder" <<'P'
import pathlib, sys
folder = pathlib.Path(sys.argv[1])
(folder / "users.txt").write_text("".join(f"http://u{n}@a.example/\n" for n in range(70_000)))
(folder / "users.log").write_text("http://a.example/\n" * 600)
(folder / "nets.txt").write_text("".join(f"1.1.1.1/{n}\n" for n in range(8, 33)))
(folder / "nets.log").write_text(("1.1.1.1 " * 100 + "\n") * 4000)
P
peak() { # index, log: memory beside mapped files while nobody reads, then while 50 MB of hits are read, in KiB
  python3 - "$manara" "$@" <<'P'
import re, subprocess, sys, time
manara, index, log = sys.argv[1:]
search = subprocess.Popen([manara, "match", "--threads", "2", "--index", index, log], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
peak, left, end = 0, 50_000_000, time.time() + 3
def look():
    global peak
    peak = max([peak, *map(int, re.findall(r"RssAnon:\s+(\d+)", open(f"/proc/{search.pid}/status").read()))])
while time.time() < end:
    look(); time.sleep(0.02)
while left > 0 and (got := len(search.stdout.read(1 << 20))):
    left -= got; look()
search.stdout.close(); search.wait()
print(peak)
P
}
for name in users nets; do
  check "an index of $name" "$manara" index build -o "$folder/$name.index" "$folder/$name.txt"
  kib=$(peak "$folder/$name.index" "$folder/$name.log")
  check "$name: $kib KiB" test "$kib" -lt 65536
done

# Nothing is written over what is read, and what is no text is no good news.
cp "$folder/two" "$folder/kept.log"
check "an output that is a log" exits 2 match -o "$folder/kept.log" "$folder/kept.log"
check "a page that is a log" exits 2 match --report "$folder/kept.log" "$folder/two"
check "is as it was" cmp "$folder/two" "$folder/kept.log"
check "an index that is a list" exits 1 "$manara" index build -o "$folder/b2.txt" "$folder/b2.txt"
python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").write(sys.argv[2], "two")' "$folder/two.zip" "$folder/two"
check "a zip archive is not read" exits 2 match "$folder/two.zip"
check "and is named" grep -q "two.zip: it is a zip archive" "$folder/err"
iconv -f UTF-8 -t UTF-16 "$folder/two" | gzip > "$folder/two.gz"
check "nor is UTF-16, packed" exits 2 match "$folder/two.gz"
check "with what to do" grep -q "iconv" "$folder/err"
cp "$manara" "$folder/program"
check "nor is a program" exits 2 match "$folder/program"
check "and it is named" grep -q "program: it is a program, and was not searched" "$folder/err"
head -c 9000 /dev/urandom | gzip > "$folder/noise.gz"
check "bytes without order, packed" exits 2 match --count "$folder/noise.gz"
check "are in doubt" grep -q "noise.gz: it seems to be no text" "$folder/err"
check "and searched all the same" grep -q "noise.gz:0" "$folder/out"
{ head -c 70000 /dev/zero; printf 'refus\351 evil.com\n'; } > "$folder/rotated"
check "zeros before, and Latin-1, are text" match "$folder/rotated"
check "without a word" test ! -s "$folder/err"
check "a pipe of no text" exits 2 bash -c "head -c 9000 /dev/urandom | '$manara' match --index '$folder/bad.index' -"
check "a tar archive" tar -cf "$folder/two.tar" -C "$folder" two
check "is searched, and named" exits 2 match "$folder/two.tar"
check "as such" grep -q "two.tar: it seems to be a tar archive" "$folder/err"
check "with its hits" grep -q "two.tar:1:.*evil.com" "$folder/out"
check "a state does not forget it" exits 2 match --state "$folder/noise.state" "$folder/noise.gz"
check "the next time" exits 2 match --state "$folder/noise.state" "$folder/noise.gz"

# What is found is told to a node, as counts and nothing else.
key=$("$manara" init --data "$folder/node" --org CERT --country MY --admin a@b.example --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["api_key"])')
"$manara" serve --data "$folder/node" --listen 127.0.0.1:0 --log error > "$folder/served" 2>/dev/null & following=$!
check "a node" until_says "listening on" "$folder/served"
url=$(sed -n 's/^listening on //p' "$folder/served")
found() { "$manara" search --data "$folder/node" "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["sightings"]["seen"])'; }
check "told" match --format summary --report-to "$url" --key "$key" --report-as "site 7" "$folder/logs/a.log" "$folder/logs/deeper"
check "says so" grep -q "3 sightings told to 127.0.0.1" "$folder/err"
check "a day of one and the rest of it" test "$(found evil.com) $(found 10.9.0.0/16)" = "3 1"
check "with another key nothing is told, and hits are printed" exits 2 match --report-to "$url" --key wrong "$folder/logs/a.log"
check "and why" grep -q "0 of 3 sightings were told.*401.*does not know this key" "$folder/err"
check "and what would keep them" grep -q -- "--state FILE" "$folder/err"
check "hits" grep -q ":7:" "$folder/out"
check "a wrong address is told before the search" exits 2 match --report-to nowhere --key "$key" "$folder/logs/a.log"
check "without hits" test ! -s "$folder/out"
check "a list with bad rows" curl -sf "$url/api/v1/sightings" -H "Authorization: Bearer $key" -H 'Content-Type: application/json' -o "$folder/answer" \
  -d '[{"value":"evil.com","uuid":"8f5b2c6e-59dc-4bd8-a8d4-3d1d3c1a2b77"},{"value":"???"},{"value":"evil.com","kind":"seen?"},{"value":"evil.com","uuid":"8f5b2c6e-59dc-4bd8-a8d4-3d1d3c1a2b77"}]'
check "keeps the others, and told twice is told once" test "$(found evil.com)" = 4
check "names them" python3 -c 'import json, sys; told = json.load(open(sys.argv[1])); assert [one["row"] for one in told["rejected"]] == [1, 2] and len(told["uuids"]) == 2, told' "$folder/answer"
# Own hosts as pseudonyms: the same host the same, and nothing else of it.
check "hosts where asked" match --report-to "$url" --key "$key" --report-as "site 7" --report-hosts "$folder/hosts.key" "$folder/logs/a.log"
check "with a key that is made" grep -q 'is a new key' "$folder/err"
check "for nobody else" test "$(stat -c %a "$folder/hosts.key")" = 600
check "are pseudonyms" grep -a -r 'site 7, host px-' "$folder/node"
chmod 644 "$folder/hosts.key"
check "a key that others read is refused" exits 2 match --report-to "$url" --key "$key" --report-hosts "$folder/hosts.key" "$folder/logs/a.log"
check "with how to mend it" grep -q "chmod 600" "$folder/err"
chmod 600 "$folder/hosts.key"
check "and is no output" exits 2 match --report-to "$url" --key "$key" --report-hosts "$folder/hosts.key" -o "$folder/hosts.key" "$folder/logs/a.log"

# What can't be told waits in the state, and is told first.
before=$(found evil.com); port=${url##*:}
kill "$following"; wait "$following" || true; following=
again() { match --state "$folder/tell.state" --format summary --report-to "$url" --key "$key" "$@"; }
cp "$folder/logs/a.log" "$folder/tell.log"
check "nobody is there" exits 2 again "$folder/tell.log" - < "$folder/two"
check "it waits" grep -q "0 of 3 sightings were told; the others wait in" "$folder/err"
check "for nobody else to read" test "$(stat -c %a "$folder/tell.state")" = 600
check "nobody is there again" exits 2 again "$folder/tell.log"
check "which is said once" test "$(grep -c 'wait' "$folder/err")" = 1
"$manara" serve --data "$folder/node" --listen "127.0.0.1:$port" --log error > "$folder/served" 2>/dev/null & following=$!
check "a node" until_says "listening on" "$folder/served"
check "with another key it waits on" exits 2 match --state "$folder/tell.state" --report-to "$url" --key wrong "$folder/tell.log"
check "and why is said" grep -q 'does not know this key' "$folder/err"
check "in this command's words" test "$(grep -ci taxii "$folder/err")" = 0
check "nothing new" exits 1 again "$folder/tell.log"
check "what waited is told" grep -q "3 sightings of earlier searches told to 127.0.0.1" "$folder/err"
check "once" test "$(found evil.com)" = $((before + 3))
check "nothing new again" exits 1 again "$folder/tell.log"
check "is told again" test "$(grep -c told "$folder/err")" = 0

# Killed again and again while it is told, each counts once.
for n in $(seq 3000); do echo "2026-01-$((n % 20 + 10)) 10.9.$((n / 250)).$((n % 250)) evil.com"; done > "$folder/told.log"
before=$(found evil.com)
for n in $(seq 60); do
  got=0
  timeout -s KILL 0.$((1 + RANDOM % 5)) "$manara" match --index "$folder/bad.index" --state "$folder/told.state" -o "$folder/told.hits" --report-to "$url" --key "$key" "$folder/told.log" || got=$?
  [ "$got" = 137 ] || [ "$got" = 2 ] || break
done 2>/dev/null
check "the rest" bash -c "'$manara' match --index '$folder/bad.index' --state '$folder/told.state' --report-to '$url' --key '$key' '$folder/told.log' || [ \$? = 1 ]"
check "told through $n kills, each once" test "$(found evil.com)" = $((before + 3000))
kill "$following"; wait "$following" || true; following=

# Files that are handed on are readable as the umask says; names that are not there are said once.
umask 022
check "a page" match --report "$folder/page.html" "$folder/two"
check "is said to be there" grep -q "report written to $folder/page.html" "$folder/err"
check "for others" test "$(stat -c %a "$folder/page.html")" = 644
check "an index" "$manara" index build -o "$folder/shared.index" "$folder/bad.txt"
check "for others too" test "$(stat -c %a "$folder/shared.index")" = 644
check "a list that is not there is 3" exits 3 "$manara" index build -o "$folder/none.index" "$folder/nosuch"
check "once" test "$(grep -o nosuch "$folder/err" | wc -l)" = 1
check "and no index" test ! -e "$folder/none.index"
check "an index that is not there is 2" exits 2 "$manara" match --index "$folder/nosuch" "$folder/two"
check "said once" test "$(grep -o 'No such file' "$folder/err" | wc -l)" = 1

# What newcomers write.
says() { # code, text, arguments of match: it ends so, and says this
  local code=$1 text=$2; shift 2
  check "$text" exits "$code" match "$@"
  check "is said: $text" grep -qF -- "$text" "$folder/err"
}
check "a folder is no index" exits 2 "$manara" match --index "$folder" "$folder/two"
check "and called one" grep -q "this is a folder; name the index in it" "$folder/err"
says 2 "write --top=2" --top 2 "$folder/two"
says 2 "a number from 1 on" --top=0 "$folder/two"
says 2 "none is not there; make it first" --report "$folder/none/x.html" "$folder/two"
says 2 "the page is a file" --report - "$folder/two"
says 2 "leave it out to write to standard output" -o - "$folder/two"
check "a header with what sources say" bash -c "'$manara' match --index '$folder/bad.index' --format csv '$folder/two' | head -1 | grep -q 'field,titles,says,marking'"
check "--output" "$manara" index build --output "$folder/named.index" "$folder/bad.txt"
check "exit codes are told" bash -c "'$manara' index build --help | grep -q 'Exit 0: made'"
printf '{"Event": {"info": "x", "Attribute": [{"type": "filename", "value": "a.exe", "to_ids": true}, {"type": "AS", "value": "64500", "to_ids": true}, {"type": "domain", "value": "evil.com", "to_ids": true}]}}' > "$folder/kinds.json"
check "kinds that are not looked for" "$manara" index build -o "$folder/kinds.index" "$folder/kinds.json"
check "are named" grep -q "of them 1 asn, 1 filename" "$folder/err"
echo "match: $passed checks passed"
