#!/usr/bin/env python3
"""Holds the numbers that the tree cites against their legend, core/docs/RULES.md, and fails where they disagree.

    tests/checks/legend.py [ROOT]

Cited is what stands in a comment or a string of a `.rs` file, in the name of a function (`c56_races`), or anywhere in
a `.md` file: `P3`, `D41`, `C56`, `I4`, `L7`, and ranges such as "C71-C81" or "P1 to P14". Each number has one line in
the legend: `| P3 | the rule | tests |`. A test is `path: name`, in backticks, from the root: a function with an
attribute of a test, or one that is named once more in its file, as the lists of macros do. A `path` alone stands for a
whole program or a module of tests. Tests that other pages beside the legend name so have to be there, too.

The second tier has a legend of its own, for `T1` and the like within its folder: the table in docs/promises.md, whose
last column names tests beneath tests/promises as `file: name`, or as `name` alone in the file before.
"""

import os
import re
import sys

LEGEND = "core/docs/RULES.md"
TIER = "adapters/redis/"
TIER_LEGEND = TIER + "docs/promises.md"
NUMBER = re.compile(r"(?<![\w:])([PDCIL])0*([1-9]\d{0,2})\b")
RANGE = re.compile(r"(?<![\w:])([PDCIL])0*(\d{1,3})(?:\s?[-\u2013]\s?|\s(?:to|through)\s|\.\.=?)\1?0*(\d{1,3})\b")
NAME = re.compile(r"\b([pdcil])0*([1-9]\d{0,2})_\w")
SAID = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"', re.S)
TEST = re.compile(r"`((?:tests|core|adapters)/[\w/]+\.rs: \w+)`")
TIER_NUMBER = re.compile(r"(?<![\w:])(T)([1-9]\d?)\b")
TIER_NAME = re.compile(r"\b(t)([1-9]\d?)_\w")
TIER_LINE = re.compile(r"^\| T(\d+) \| (.*) \|(.*)\|$")
LINE = re.compile(r"^\| ([PDCIL])0*(\d+) \| (.*) \| (.*) \|$")


def files(root):
    """Returns the sources and pages of the tree, but what cargo has built."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in ("target", ".git"))
        for name in sorted(names):
            if name.endswith((".rs", ".md")):
                yield os.path.relpath(os.path.join(folder, name), root)


def read(root, file):
    with open(os.path.join(root, file), encoding="utf-8") as text:
        return text.read()


def cited(root):
    """Returns each number that is cited, with the first place where it is."""
    places = {}
    for file in files(root):
        if file in (LEGEND, TIER_LEGEND):
            continue
        for at, line in enumerate(read(root, file).splitlines(), 1):
            said = line if file.endswith(".md") else " ".join(SAID.findall(line))
            found = [(letter, int(number)) for letter, number in NUMBER.findall(said)]
            for letter, first, last in RANGE.findall(said):
                found += [(letter, number) for number in range(int(first), int(last) + 1)]
            if file.startswith(TIER):
                found += [(letter.upper(), int(number)) for letter, number in TIER_NUMBER.findall(said) + TIER_NAME.findall(line)]
            if file.endswith(".rs"):
                found += [(letter.upper(), int(number)) for letter, number in NAME.findall(line)]
            for one in found:
                places.setdefault(one, f"{file}:{at}")
    return places


def is_there(root, test):
    """Tells whether there is such a test."""
    file, _, name = test.partition(": ")
    if not os.path.isfile(os.path.join(root, file)):
        return False
    text = read(root, file)
    if not name:
        return True
    found = re.search(rf"((?:^\s*(?:#\[.*\]|//.*)\n)*)^\s*(?:pub )?(?:async )?fn {re.escape(name)}\b", text, re.M)
    return bool(found) and ("test" in " ".join(re.findall(r"#\[.*\]", found[1])) or len(re.findall(rf"\b{re.escape(name)}\b", text)) > 1)


def main():
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    root = sys.argv[1] if len(sys.argv) == 2 else os.path.join(os.path.dirname(__file__), "../..")
    lines, tests, wrong = {}, 0, []
    for at, line in enumerate(read(root, LEGEND).splitlines(), 1):
        if not (found := LINE.match(line)):
            if re.match(r"^\|\s*[A-Z]\d", line):
                wrong.append(f"{LEGEND}:{at}: not a line of the legend: {line}")
            continue
        letter, number, rule, held = found[1], int(found[2]), found[3], re.findall(r"`([^`]+)`", found[4])
        if (letter, number) in lines:
            wrong.append(f"{LEGEND}:{at}: {letter}{number} has a line already")
        lines[letter, number] = rule
        if not rule.strip():
            wrong.append(f"{LEGEND}:{at}: {letter}{number} has no rule")
        if not held:
            wrong.append(f"{LEGEND}:{at}: {letter}{number} has no test")
        tests += len(held)
        wrong += [f"{LEGEND}:{at}: {letter}{number} names no test: {test}" for test in held if not is_there(root, test)]
    for page in sorted(files(root)):
        if page.startswith("core/docs/") and page != LEGEND:
            named = TEST.findall(read(root, page))
            tests += len(named)
            wrong += [f"{page}: names no test: {test}" for test in named if not is_there(root, test)]
    for at, line in enumerate(read(root, TIER_LEGEND).splitlines(), 1):
        if found := TIER_LINE.match(line):
            number, file = int(found[1]), ""
            if ("T", number) in lines:
                wrong.append(f"{TIER_LEGEND}:{at}: T{number} has a line already")
            lines["T", number] = found[2]
            held = re.findall(r"`([^`]+)`", found[3])
            if not held:
                wrong.append(f"{TIER_LEGEND}:{at}: T{number} has no test")
            for test in held:
                before, _, name = test.rpartition(": ")
                file, tests = before or file, tests + 1
                if not is_there(root, f"{TIER}tests/promises/{file}: {name}"):
                    wrong.append(f"{TIER_LEGEND}:{at}: T{number} names no test: {test}")
    places = cited(root)
    for letter, number in sorted(places.keys() - lines.keys()):
        wrong.append(f"{places[letter, number]}: {letter}{number} has no line in {TIER_LEGEND if letter == 'T' else LEGEND}")
    print("\n".join(wrong + [f"{len(places)} numbers cited, {len(lines)} lines, {tests} tests named, {len(wrong)} wrong"]))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
