#!/usr/bin/env python3
"""Counts what a crate offers, from rustdoc's JSON, and fails if it is more than it may be.

    RUSTC_BOOTSTRAP=1 cargo rustdoc -p larder --all-features -- -Z unstable-options --output-format json
    tests/checks/public.py target/doc/larder.json [TYPES [TRAITS [METHODS [TYPE_PARAMS [METHOD_PARAMS]]]]]

Types are structs, enums, unions and aliases that can be named from outside, each once, however many names it has.
Methods are the public ones of these types, but for those of traits. The parameters of a method are those of its `impl`
and its own, each `impl Trait` in its arguments included; lifetimes and constants do not count.
"""

import json
import sys

CEILINGS = {
    "public types": 50,
    "public traits": 14,
    "public methods": 170,
    "type parameters of one type": 5,
    "type parameters of one method": 6,
}
TYPES = ("struct", "enum", "union", "type_alias")


class Crate:
    def __init__(self, doc):
        self.index = {str(number): item for number, item in doc["index"].items()}
        self.root = str(doc["root"])
        self.found, self.seen = {}, set()
        self.look(self.root, "")

    def look(self, number, path):
        """Finds what a public module, or a re-export, lets be named."""
        number = str(number)
        item = self.index.get(number)
        if not item or (number, path) in self.seen:
            return
        self.seen.add((number, path))
        ((kind, inner),) = item["inner"].items()
        if kind != "use" and item["visibility"] not in ("public", "default"):
            return
        name = f"{path}::{item['name']}" if path else item["name"]
        if kind == "module":
            for one in inner["items"]:
                self.look(one, "" if number == self.root else name)
        elif kind != "use":
            self.found.setdefault(number, (kind, inner, name))
        elif item["visibility"] == "public" and inner.get("id") is not None:
            self.follow(str(inner["id"]), path, inner)

    def follow(self, number, path, use):
        """Finds what is re-exported, which need not be public where it stands."""
        item = self.index.get(number)
        if not item:
            return
        ((kind, inner),) = item["inner"].items()
        name = f"{path}::{use['name']}" if path else use["name"]
        if kind == "module":
            for one in inner["items"]:
                self.look(one, path if use.get("is_glob") else name)
        elif kind == "use":
            self.follow(str(inner["id"]), path, inner)
        else:
            self.found.setdefault(number, (kind, inner, name))

    def methods(self, inner):
        """Returns the name and the type parameters of each public method of a type."""
        for number in inner.get("impls", []):
            block = self.index[str(number)]["inner"]["impl"]
            if block["trait"] is None and not block.get("is_synthetic"):
                for method in map(lambda one: self.index[str(one)], block["items"]):
                    function = method["inner"].get("function")
                    if function and method["visibility"] == "public":
                        yield method["name"], parameters(block["generics"]) + parameters(function["generics"])


def parameters(generics):
    return sum("type" in parameter["kind"] for parameter in generics["params"])


def main():
    if not 2 <= len(sys.argv) <= 2 + len(CEILINGS):
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as file:
        crate = Crate(json.load(file))
    types = [(inner, name) for kind, inner, name in crate.found.values() if kind in TYPES]
    methods = [(count, f"{path}::{name}") for inner, path in types for name, count in crate.methods(inner)]
    traits = [name for kind, _, name in crate.found.values() if kind == "trait"]
    widest = max(((parameters(inner["generics"]), name) for inner, name in types), default=(0, "none"))
    longest = max(methods, default=(0, "none"))
    counts = [(len(types), ""), (len(traits), ""), (len(methods), ""), widest, longest]
    ceilings = dict(zip(CEILINGS, map(int, sys.argv[2:])))
    status = 0
    for (what, ceiling), (count, name) in zip({**CEILINGS, **ceilings}.items(), counts):
        is_over = count > ceiling
        status |= is_over
        print(f"{what}: {count} of at most {ceiling}{f' ({name})' if name else ''}{', too many' if is_over else ''}")
    sys.exit(status)


if __name__ == "__main__":
    main()
