#!/bin/bash
# Prints how many instructions one operation takes, here and in the peer, counted by callgrind: the difference of runs
# with N and 2N operations, divided by N. Repeatable where times are not; nothing is asserted.
#
#   benches/instructions.sh                 all modes
#   benches/instructions.sh sync miss       only these
#   benches/instructions.sh --hot sync      where Larder spends them, function by function
set -euo pipefail
cd "$(dirname "$0")/.."

count=20000
program=$(cargo bench --quiet -p larder-benches --bench instructions --no-run --message-format=json |
  sed -n 's/.*"executable":"\([^"]*\/instructions-[^"]*\)".*/\1/p')

collected() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 | awk '/Collected/ { print $4 }'
}

per_operation() {
  local once twice
  once=$(collected "$@" $count)
  twice=$(collected "$@" $((2 * count)))
  awk -v once="$once" -v twice="$twice" -v count=$count 'BEGIN { printf "%.1f", (twice - once) / count }'
}

if [ "${1:-}" = --hot ]; then
  profile=$(mktemp)
  trap 'rm -f "$profile"' EXIT
  valgrind --tool=callgrind --callgrind-out-file="$profile" "$program" "${2:?a mode}" larder $((10 * count)) 2> /dev/null
  callgrind_annotate "$profile" | head -50
  exit
fi

modes=("$@")
[ $# -gt 0 ] || modes=(sync sync-ttl sync-ttl-coarse sync-string async miss)
printf '%-16s %10s %12s\n' instructions larder quick_cache
for mode in "${modes[@]}"; do
  printf '%-16s %10s %12s\n' "$mode" "$(per_operation "$mode" larder)" "$(per_operation "$mode" quick_cache)"
done
