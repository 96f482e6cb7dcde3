#!/bin/bash
# Shows that each check beside this fails when its fact is broken: on a copy of the tree, one change after the other, all
# of which have to be told. Succeeds only if they are.
#
#   tests/checks/selftest.sh
set -euo pipefail
cd "$(dirname "$0")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
checks=$PWD/tests/checks
failed=0

# fresh: makes the copy anew.
fresh() {
  rm -rf "$scratch/tree"
  mkdir "$scratch/tree"
  tar -c --exclude=target --exclude=.git . | tar -x -C "$scratch/tree"
}

# tells WHAT COMMAND...: the command must fail and say WHAT, which it must not do before the change.
tells() {
  local what=$1 said
  shift
  if said=$("$@" 2>&1); then
    echo "MISSED: $what"
    failed=1
  elif grep -qF -- "$what" <<< "$said"; then
    echo "told: $what"
  else
    echo "NOT TOLD: $what; but: $(tail -n 3 <<< "$said")"
    failed=1
  fi
}

# quiet WHAT COMMAND...: the command says nothing of the kind.
quiet() {
  local what=$1 said
  shift
  said=$("$@" 2>&1) || true
  if grep -qF -- "$what" <<< "$said"; then
    echo "TOLD WITHOUT REASON: $what"
    failed=1
  fi
}

# broken WHAT CHANGE COMMAND...: the command tells WHAT after CHANGE, a line of shell, and not before.
broken() {
  local what=$1 change=$2
  shift 2
  fresh
  quiet "$what" "$@"
  (cd "$scratch/tree" && eval "$change")
  tells "$what" "$@"
}

# Commands that a document tells to run.
broken "larder-smol has no example tokens" "sed -i 's/--example token/--example tokens/' README.md" \
  bash -c 'cd "$1" && "$2/commands.py" README.md' _ "$scratch/tree" "$checks"

# Circles: two files that need each other, directly and by way of re-exports, and none where there is but one way.
crate=$scratch/crate
mkdir -p "$crate/room"
printf 'mod one;\nmod room;\npub use one::One;\n' > "$crate/lib.rs"
printf 'mod two;\npub(crate) use two::Two;\n' > "$crate/room/mod.rs"
printf 'use crate::room::Two;\npub struct One(Two);\n' > "$crate/one.rs"
printf 'pub(crate) struct Two;\n' > "$crate/room/two.rs"
"$checks/circles.py" "$crate" | grep -qx '4 files, 0 circles' || { echo "a circle where there is none"; failed=1; }
printf '// use crate::One;\npub(crate) struct Two(&str = "crate::One");\n' > "$crate/room/two.rs"
"$checks/circles.py" "$crate" | grep -qx '4 files, 0 circles' || { echo "a circle in a comment or a string"; failed=1; }
printf 'pub(crate) struct Two(Option<Box<crate::One>>);\n' > "$crate/room/two.rs"
tells '    one.rs needs room/two.rs' "$checks/circles.py" "$crate"
printf 'use crate::{one::{self}, room};\npub(crate) struct Two(Option<Box<one::One>>);\n' > "$crate/room/two.rs"
tells '    room/two.rs needs one.rs' "$checks/circles.py" "$crate"
core=$scratch/tree/core/src
broken 'error.rs needs time.rs' 'echo "use crate::LoadError;" >> core/src/time.rs; echo "use crate::Instant;" >> core/src/error.rs' \
  "$checks/circles.py" "$core"

# The legend: a number without a line, by any way of citing it; a line without a test; a test that is gone.
legend=("$checks/legend.py" "$scratch/tree")
broken 'D998 has no line' 'echo "/// D998: never." >> core/src/time.rs' "${legend[@]}"
broken 'C997 has no line' 'echo "fn c997_never() {}" >> core/src/time.rs' "${legend[@]}"
broken 'P96 has no line' 'echo "What holds always. (P95 to P97)" >> CONTRIBUTING.md' "${legend[@]}"
broken 'P3 has no line' 'sed -i "/^| P3 |/d" core/docs/RULES.md' "${legend[@]}"
broken 'T98 has no line' 'echo "/// T98: never." >> adapters/redis/src/lib.rs' "${legend[@]}"
broken 'T12 names no test: batches.rs: ' 'rm adapters/redis/tests/promises/batches.rs' "${legend[@]}"
broken 'P3 has a line already' 'sed -i "/^| P3 |/p" core/docs/RULES.md' "${legend[@]}"
broken 'C56 has no test' 'sed -i "s/^\(| C56 | .* |\) .* |$/\1 |/; s/^\(| C56 | .*\) |$/\1 |  |/" core/docs/RULES.md' "${legend[@]}"
broken 'names no test: tests/tests/promises/costs.rs: c62_a_hit_is_free' \
  'sed -i s/c62_a_hit_is_free/c62_a_hit_costs_nothing/ tests/tests/promises/costs.rs' "${legend[@]}"
broken 'names no test: tests/tests/listener/causes.rs: ' 'rm tests/tests/listener/causes.rs' "${legend[@]}"

# Lines: one too many in all, and in a file.
lines=$("$checks/lines.py" core/src 1000000 | sed -n 's/ lines of code of at most .*//p')
broken "$((lines + 1)) lines of code, more than $lines" 'echo "use core::fmt;" >> core/src/time.rs' \
  "$checks/lines.py" "$core" "$lines"
broken 'time.rs: ' 'for _ in $(seq 300); do echo "use core::fmt;"; done >> core/src/time.rs' "$checks/lines.py" "$core" 1000000

# What is public: a crate of one type with one method, two type parameters each, and one trait.
python3 - "$scratch/crate.json" << 'PROGRAM'
import json, sys
two = {"params": [{"name": name, "kind": {"type": {}}} for name in "KV"], "where_predicates": []}
items = {
    "0": ("larder", "public", {"module": {"items": [1, 2, 3]}}),
    "1": ("inside", "crate", {"module": {"items": [4, 5]}}),
    "2": (None, "public", {"use": {"name": "Cache", "id": 4, "is_glob": False}}),
    "3": (None, "public", {"use": {"name": "Clock", "id": 5, "is_glob": False}}),
    "4": ("Cache", "public", {"struct": {"generics": two, "impls": [6]}}),
    "5": ("Clock", "public", {"trait": {"generics": two, "items": []}}),
    "6": (None, "default", {"impl": {"trait": None, "generics": two, "items": [7]}}),
    "7": ("get", "public", {"function": {"generics": two}}),
}
index = {number: {"name": name, "visibility": sight, "inner": inner} for number, (name, sight, inner) in items.items()}
json.dump({"root": 0, "index": index}, open(sys.argv[1], "w"))
PROGRAM
public=("$checks/public.py" "$scratch/crate.json")
quiet 'too many' "${public[@]}" 1 1 1 2 4
tells 'public types: 1 of at most 0, too many' "${public[@]}" 0 1 1 2 4
tells 'public traits: 1 of at most 0, too many' "${public[@]}" 1 0 1 2 4
tells 'public methods: 1 of at most 0, too many' "${public[@]}" 1 1 0 2 4
tells 'type parameters of one type: 2 of at most 1 (Cache), too many' "${public[@]}" 1 1 1 1 4
tells 'type parameters of one method: 4 of at most 3 (Cache::get), too many' "${public[@]}" 1 1 1 2 3

# Text: programs of two sizes stand for those with one and those with eight.
programs=$scratch/programs
mkdir "$programs"
for name in fn1 call1 call8; do cp "$(type -P true)" "$programs/$name"; done
cp "$(type -P bash)" "$programs/fn8"
tells 'a further cache: ' "$checks/text/text.sh" 2500 3500 "$programs"
cp "$(type -P true)" "$programs/fn8"
"$checks/text/text.sh" 0 0 "$programs" > /dev/null || { echo "text where there is none"; failed=1; }

exit $failed
