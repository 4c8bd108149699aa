#!/usr/bin/env bash
# Seeds for the fuzzers, made of the fixtures: small files as they are, a byte before each that chooses the reader.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p fuzz/corpus/read fuzz/corpus/observable
n=0
while IFS= read -r file; do
  n=$((n + 1))
  case $file in *.zst) zstd -dcq "$file" | head -c 12000 || true;; *) head -c 12000 "$file";; esac > /tmp/seed.$$
  { printf '\0'; cat /tmp/seed.$$; } > "fuzz/corpus/read/fixture-$n"
done < <(find fixtures -type f ! -path '*/stores/*' ! -name '*.md' -size -200k)
rm -f /tmp/seed.$$
n=0
while IFS=$'\t' read -r spelling _; do n=$((n + 1)); printf '%s' "$spelling" > "fuzz/corpus/observable/spelling-$n"; done \
  < <(head -q -n 200 fixtures/indicators/*-2000.txt)
echo "seeds: $(ls fuzz/corpus/read | wc -l) files, $(ls fuzz/corpus/observable | wc -l) values"
