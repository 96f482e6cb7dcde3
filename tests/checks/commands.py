#!/usr/bin/env python3
"""Fails if a document tells to run an example or a program that its package does not have.

    tests/checks/commands.py README.md ...

That the programs do what they are said to do is tested elsewhere, as they were built for the tests.
"""

import json
import re
import subprocess
import sys

metadata = json.loads(subprocess.check_output(["cargo", "metadata", "--no-deps", "--format-version=1"]))
there = {
    (package["name"], kind, target["name"])
    for package in metadata["packages"]
    for target in package["targets"]
    for kind in target["kind"]
}
told = [
    (package, kind, name)
    for path in sys.argv[1:]
    for package, kind, name in re.findall(r"cargo run [^`\n]*?-p (\S+) --(example|bin) (\w+)", open(path).read())
]
missing = sorted(set(told) - there)
for package, kind, name in missing:
    print(f"{package} has no {kind} {name}")
print(f"{len(told)} commands, {len(missing)} of nothing")
sys.exit(bool(missing) or not told)
