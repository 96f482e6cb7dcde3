#!/bin/bash
# Prints how many instructions one operation takes, here and in the peer, counted by callgrind: the difference of runs
# with N and 2N operations, divided by N. Repeatable where times are not. Fails beyond the ceilings below, and if a miss of
# a full write-back cache costs over a tenth more with 100 000 entries than with 100.
#
#   benches/instructions.sh                 all modes
#   benches/instructions.sh sync miss       only these
#   benches/instructions.sh --own           without the peer, for those who only want to know whether the ceilings hold
#   benches/instructions.sh --hot sync      where Larder spends them, function by function
set -euo pipefail
cd "$(dirname "$0")/.."

count=20000
program=$(cargo bench --quiet -p larder-instructions --bench instructions --no-run --message-format=json |
  sed -n 's/.*"executable":"\([^"]*\/instructions-[^"]*\)".*/\1/p')

collected() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$@" 2>&1 | awk '/Collected/ { print $4 }'
}

per_operation() {
  local once twice
  once=$(collected "$@" $count) || return 1
  twice=$(collected "$@" $((2 * count))) || return 1
  awk -v once="$once" -v twice="$twice" -v count=$count 'BEGIN { printf "%.1f", (twice - once) / count }'
}

if [ "${1:-}" = --hot ]; then
  profile=$(mktemp)
  trap 'rm -f "$profile"' EXIT
  valgrind --tool=callgrind --callgrind-out-file="$profile" "$program" "${2:?a mode}" larder $((10 * count)) 2> /dev/null
  # Lines are "instructions (share) file:function [object]"; inlined code counts for its own file and its caller's name.
  for part in file function; do
    echo "instructions of an operation by $part, start-up included"
    callgrind_annotate --auto=no --threshold=100 "$profile" | awk -v part=$part -v operations=$((10 * count)) '
      /^ *[0-9,]+ \( *[0-9.]+%\) *[^ ]*:/ {
        instructions = $1; gsub(",", "", instructions)
        sub(/^ *[0-9,]+ \( *[0-9.]+%\) */, ""); sub(/ \[[^]]*\]$/, "")
        name = $0
        if (part == "file") sub(/:.*/, "", name); else sub(/^[^:]*:/, "", name)
        sub(/^.*\/registry\/src\/[^\/]*\//, "", name); sub(/^\/rustc\/[^\/]*\//, "", name)
        sums[name] += instructions
      }
      END { for (name in sums) printf "%10.1f  %s\n", sums[name] / operations, substr(name, 1, 150) }' | sort -rn | head -25
  done
  exit
fi

own=
if [ "${1:-}" = --own ]; then
  own=yes
  shift
fi

# What one operation may take at most.
declare -A most=([sync]=107 [sync-ttl]=137 [sync-ttl-coarse]=135 [async]=170 [nothing]=100 [miss]=1168 [waiters]=1700 [insert]=780 [replace]=278
  [remove]=1076)

status=0
modes=("$@")
[ $# -gt 0 ] || modes=(sync sync-ttl sync-ttl-coarse sync-string nothing async miss waiters insert replace remove reversed reversed-twice write-back write-back-large)
# figures MODE: what an operation takes here and in the peer.
figures() {
  set -o pipefail
  local mode=$1 peer=- ours
  # A miss of a full write-back cache, of 100 entries and of 100 000; the peer has none.
  case $mode in
    write-back* | reversed*) ;;
    *) [ -n "$own" ] || peer=$(per_operation "$mode" quick_cache) || return 1 ;;
  esac
  # A crowd of one key looks again in reverse order: each of 40 000 callers, and each of 80 000.
  case $mode in
    reversed-twice) ours=$(count=$((2 * count)) per_operation reversed larder) || return 1 ;;
    *) ours=$(per_operation "$mode" larder) || return 1 ;;
  esac
  echo "$mode $ours $peer"
}
export count program own
export -f collected per_operation figures

# Counts do not mind company.
counted=$(printf '%s\n' "${modes[@]}" | xargs -P "$(nproc)" -I{} bash -c 'figures {}') || {
  echo "a mode does not run"
  exit 1
}
printf '%-16s %10s %12s\n' instructions larder quick_cache
declare -A ours
for mode in "${modes[@]}"; do
  read -r _ ours["$mode"] peer < <(grep "^$mode " <<< "$counted")
  printf '%-16s %10s %12s\n' "$mode" "${ours[$mode]}" "$peer"
  awk -v ours="${ours[$mode]}" -v most="${most[$mode]:-0}" 'BEGIN { exit !(most > 0 && ours > most) }' && {
    echo "more than ${most[$mode]}"
    status=1
  }
done

awk -v small="${ours[write-back]:-0}" -v large="${ours[write-back-large]:-0}" 'BEGIN {
  if (small > 0 && large > 1.1 * small) { print "a miss of a full write-back cache costs more if it is large"; exit 1 }
}'

awk -v one="${ours[reversed]:-0}" -v two="${ours[reversed-twice]:-0}" 'BEGIN {
  if (one > 0 && two > 1.2 * one) { print "a waiter who looks again costs more where there are more of them"; exit 1 }
}'
exit $status
