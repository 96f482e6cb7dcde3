#!/bin/bash
# Packs each crate that is to be published, as `cargo publish` would, and checks that what was packed compiles by itself, its
# tests included: away from this tree, with nothing but the other packed crates.
set -euo pipefail
cd "$(dirname "$0")/../.."

target=${CARGO_TARGET_DIR:-$PWD/target}
crates=(larder larder-tokio larder-smol larder-async-std larder-embassy larder-redis larder-conformance)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

cargo package --quiet --no-verify --allow-dirty "${crates[@]/#/--package=}"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
patches=()
for crate in "${crates[@]}"; do
  tar -xzf "$target/package/$crate-$version.crate" -C "$folder"
  patches+=(--config "patch.crates-io.$crate.path=\"$folder/$crate-$version\"")
  for file in LICENSE-MIT LICENSE-APACHE README.md; do
    [ -s "$folder/$crate-$version/$file" ] || { echo "$crate is packed without $file"; exit 1; }
  done
done
for crate in "${crates[@]}"; do
  echo "$crate $version, by itself"
  # (A tree of its own: nothing is to be found beside it.)
  if ! cargo check --quiet --all-targets --manifest-path "$folder/$crate-$version/Cargo.toml" \
    --target-dir "$target" "${patches[@]}" > "$folder/log" 2>&1; then
    cat "$folder/log"
    exit 1
  fi
done
