#!/usr/bin/env python3
"""Counts the lines of code of a crate, and fails if there are more than there may be.

    tests/checks/lines.py core/src [CEILING [MOST_IN_A_FILE]]

Code is what is neither blank nor a comment, documentation included. Tests count for themselves alone: a file of tests,
or a module of them within another file, is not part of the sum, but no file of either kind may be too long.
"""

import os
import re
import sys

CEILING = 9300
MOST_IN_A_FILE = 300


def count(text):
    """Returns the lines of code outside and inside of the modules of tests."""
    code = tests = depth = 0
    is_comment = is_next = False
    for line in map(str.strip, text.splitlines()):
        if is_comment or line.startswith("/*"):
            is_comment = "*/" not in line
        elif line and not line.startswith("//"):
            if not depth and re.match(r"#\[cfg\((all\()?test\b", line):
                is_next = True
            elif is_next and re.match(r"(pub(\(.*\))? )?mod \w+ *\{", line):
                depth, is_next = line.count("{") - line.count("}"), False
                tests += 1
                continue
            elif is_next and not line.startswith("#"):
                is_next = False
            if depth:
                depth += line.count("{") - line.count("}")
                tests += 1
            else:
                code += 1
    return code, tests


def main():
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    root, *limits = sys.argv[1:]
    ceiling, most = [int(limit) for limit in limits] + [CEILING, MOST_IN_A_FILE][len(limits) :]
    total, wrong = 0, []
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            if name.endswith(".rs"):
                file = os.path.join(folder, name)
                with open(file, encoding="utf-8") as source:
                    code, tests = count(source.read())
                if code + tests > most:
                    wrong.append(f"{file}: {code + tests} lines of code, more than {most}")
                if not re.search(r"(^|/)tests(/|\.rs$)", file[len(root) :]):
                    total += code
    if total > ceiling:
        wrong.append(f"{root}: {total} lines of code, more than {ceiling}")
    print("\n".join(wrong + [f"{total} lines of code of at most {ceiling}"]))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
