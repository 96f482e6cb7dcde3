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

# (What a scenario needs before and after is not counted.)
grown() {
  local once twice
  counted() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect='larder_tests::growth::measured*' \
      "$PROGRAM" "$1" "$2" 2>&1 | awk '/Collected/ { print $4 }'
  }
  once=$(counted "$1" "$N")
  twice=$(counted "$1" $((2 * N)))
  awk -v name="$1" -v once="${once:-0}" -v twice="${twice:-0}" -v n="$N" 'BEGIN {
    wrong = once == 0 || twice > 2.2 * once + 100000
    printf "%-48s %9.0f each %7.2f times%s\n", name, once / n, once ? twice / once : 0, wrong ? ", too much" : ""
    exit wrong
  }'
}
export -f grown

grown square_of_steps && { echo "a square is not seen"; exit 1; }
names=("$@")
[ $# -gt 0 ] || mapfile -t names < <("$PROGRAM")
printf '%s\n' "${names[@]}" | xargs -P "$(nproc)" -I{} bash -c 'grown {}'
