#!/bin/bash
# Measures how many bytes of text a further cache of the same types adds to a program, and a further place where one is
# asked by a load of the call's own: programs with eight of them, less those with one, by seven. Fails beyond the ceilings.
#
#   tests/checks/text/text.sh [CACHE [CALL [FOLDER]]]
#
# CACHE and CALL are the ceilings in bytes. FOLDER holds the four programs ready-made; without it they are built, each
# optimised for size as a whole.
set -euo pipefail

cache=${1:-2500} call=${2:-3500} folder=${3:-}
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "$folder" ]; then
  target=${CARGO_TARGET_DIR:-$here/../../../target}/text
  cargo build --quiet --release --bins --manifest-path "$here/Cargo.toml" --target-dir "$target"
  folder=$target/release
fi

text() { size "$folder/$1" | awk 'NR == 2 { print $1 }'; }

status=0
# judge WHAT PROGRAMS CEILING
judge() {
  local one eight each
  one=$(text "$2"1) eight=$(text "$2"8)
  each=$(((eight - one) / 7))
  echo "a further $1: $each bytes of at most $3 ($one with one, $eight with eight)"
  [ "$each" -le "$3" ] || status=1
}

judge cache fn "$cache"
judge "call site" call "$call"
exit $status
