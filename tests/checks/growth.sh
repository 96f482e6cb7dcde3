#!/bin/bash
# Counts the instructions that each scenario of tests/src/growth takes with N things and with twice as many, by callgrind,
# and fails where they grow by more than a tenth over twice as much: so a scan of a list is seen that takes no lock,
# compares no key and allocates nothing. Where nothing is wrong, a scenario that is must be found to be.
#
#   tests/checks/growth.sh                  all scenarios
#   tests/checks/growth.sh clear shrink     only these
set -euo pipefail
cd "$(dirname "$0")/../.."

export N=${N:-2000}
PROGRAM=$(cargo build --quiet --release -p larder-tests --bin growth --message-format=json |
  sed -n 's/.*"executable":"\([^"]*\/growth\)".*/\1/p')
export PROGRAM

# counted NAME: a process for each, since what a scenario takes depends on where in memory its caches lie, and so on what has
# run before it. (What a scenario needs before and after is not counted.)
counted() {
  local folder status=0 measured=larder_tests::growth::measured
  folder=$(mktemp -d)
  valgrind --tool=callgrind --callgrind-out-file="$folder/out" --toggle-collect=$measured --dump-after=$measured \
    "$PROGRAM" "$N" "$1" > "$folder/log" 2>&1 || { cat "$folder/log"; return 1; }
  awk -v name="$1" -v once="$(total "$folder/out.1")" -v twice="$(total "$folder/out.2")" -v n="$N" 'BEGIN {
    wrong = once == 0 || twice > 2.2 * once + 100000
    printf "%-48s %9.0f each %7.2f times%s\n", name, once / n, once ? twice / once : 0, wrong ? ", too much" : ""
    exit wrong
  }' || status=1
  rm -r "$folder"
  return $status
}
total() { awk '/^totals:/ { print $2; exit }' "$1"; }
export -f counted total

counted square_of_steps && { echo "a square is not seen"; exit 1; }
names=("$@")
[ $# -gt 0 ] || mapfile -t names < <("$PROGRAM")
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -n 1 bash -c 'counted "$@"' _
