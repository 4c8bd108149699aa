#!/usr/bin/env bash
# Installs or checks what building (cc) or testing (tests) needs, and says what it does.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-tests}
say() { printf '\033[2m%s\033[0m\n' "$*"; }
command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.95 or later first (rustup, or your distribution)"; exit 1; }

packages=()
want() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || packages+=("$2"); }
want cc gcc
if [ "$what" = tests ]; then
  want chromium chromium
  want chromedriver chromium-driver
  want named-checkzone bind9-utils
  want unbound-checkconf unbound
  want nft nftables
  want squid squid
  want zstd zstd
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || want initdb postgresql
  python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
fi
if [ ${#packages[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing from Debian: ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # A package that this system does not have must not keep the others out.
    for package in "${packages[@]}"; do
      # No service of theirs is started: only the programs are needed.
      printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d.manara && chmod +x /usr/sbin/policy-rc.d.manara
      [ -e /usr/sbin/policy-rc.d ] || { mv /usr/sbin/policy-rc.d.manara /usr/sbin/policy-rc.d; ours=1; }
      apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 || say "could not install $package: what needs it is skipped, and says so"
      [ "${ours:-}" = 1 ] && { rm -f /usr/sbin/policy-rc.d; ours=; } || rm -f /usr/sbin/policy-rc.d.manara
    done
  else
    say "missing, and not installed since this is not root: ${packages[*]}; what needs them is skipped, and says so"
  fi
fi
[ "$what" = tests ] || exit 0

command -v cargo-nextest >/dev/null || { say "installing cargo-nextest"; cargo install --locked --quiet cargo-nextest; }
command -v cargo-deny >/dev/null || { say "installing cargo-deny (some minutes)"; cargo install --locked --quiet cargo-deny --version 0.20.2; }
# What was installed is remembered, so a new line in the list is seen.
if ! cmp -s tests/requirements.txt .venv/requirements.txt; then
  say "making .venv with the clients that the tests use"
  [ -x .venv/bin/pip ] || python3 -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
  cp tests/requirements.txt .venv/requirements.txt
fi
