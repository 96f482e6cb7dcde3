#!/usr/bin/env python3
"""Prints the circles of files in a crate, and fails if there is one, or more than are allowed.

    tests/checks/circles.py core/src [MOST]

A file needs another if it names something that is defined there: by `use`, or by a path in its code. Names are followed
through re-exports to the file that defines them. What the crate root and a `mod.rs` re-export is no need of theirs, as
it only says where things are to be found; everything else in them counts. Tests are left out.
"""

import os
import re
import sys

ITEM = re.compile(
    r"^\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?(?:(?:const|unsafe|async|default)\s+)*"
    r"(?:struct|enum|union|trait|fn|type|const|static|macro_rules!)\s+(\w+)",
    re.M,
)
USE = re.compile(r"(pub(?:\([^)]*\))?\s+)?\buse\s+([^;]+);")
INLINE = re.compile(r"\bmod\s+(\w+)\s*\{")
PATH = re.compile(r"(?<![\w:.$])(\w+(?:\s*::\s*\w+)+)")
MODS = ("lib.rs", "mod.rs")


class Module:
    """What one module defines and uses, and the file it is in."""

    def __init__(self, path, file):
        self.path, self.file = path, file
        self.items, self.uses, self.paths = set(), [], set()


def read(root):
    """Reads all files but tests; returns the modules by their paths."""
    modules = {}
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            file = os.path.relpath(os.path.join(folder, name), root)
            if not name.endswith(".rs") or re.search(r"(^|/)tests(/|\.rs$)", file):
                continue
            with open(os.path.join(folder, name), encoding="utf-8") as source:
                text = strip(source.read())
            path = tuple(part for part in file[:-3].split(os.sep) if part not in ("lib", "mod"))
            take_in(modules, path, file, text)
    return modules


def strip(text):
    """Takes out comments and what is in strings."""
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r'"(?:\\.|[^"\\])*"', '""', text)


def take_in(modules, path, file, text):
    """Notes what a module says, and each module that stands within its braces as one of its own."""
    module = modules.setdefault(path, Module(path, file))
    while found := INLINE.search(text):
        start, depth, end = found.end(), 1, found.end()
        while depth and end < len(text):
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        take_in(modules, path + (found[1],), file, text[start : end - 1])
        text = text[: found.start()] + text[end:]
    module.items.update(ITEM.findall(text))
    for is_public, tree in USE.findall(text):
        module.uses += [(bool(is_public), names, alias) for names, alias in leaves(tree)]
    for found in PATH.findall(USE.sub("", text)):
        module.paths.add(tuple(re.split(r"\s*::\s*", found)))


def leaves(tree, prefix=()):
    """Takes a tree of imports apart; returns each path and by what name it is known."""
    tree = tree.strip()
    if brace := re.match(r"(.*?)\{(.*)\}$", tree, re.S):
        head = tuple(part.strip() for part in brace[1].split("::") if part.strip())
        found, depth, last = [], 0, 0
        for at, letter in enumerate(brace[2] + ","):
            depth += {"{": 1, "}": -1}.get(letter, 0)
            if letter == "," and not depth:
                if one := brace[2][last:at].strip():
                    found += leaves(one, prefix + head)
                last = at + 1
        return found
    name, _, alias = tree.partition(" as ")
    names = prefix + tuple(part.strip() for part in name.split("::") if part.strip())
    if names[-1] == "self":
        names = names[:-1]
    return [(names, alias.strip() or names[-1])]


class Crate:
    def __init__(self, modules):
        self.modules = modules

    def absolute(self, module, names):
        """Returns a path from the crate's root; none if it leads out of the crate."""
        first, rest = names[0], names[1:]
        if first == "crate":
            return rest
        if first == "self":
            return module.path + rest
        if first == "super":
            above = module.path
            while names and names[0] == "super":
                above, names = above[:-1], names[1:]
            return above + names
        if module.path + (first,) in self.modules:
            return module.path + names
        return None

    def home(self, names, seen=frozenset()):
        """Returns the module that defines what an absolute path names."""
        if names in seen:
            return None
        seen = seen | {names}
        at = next(names[:end] for end in range(len(names), -1, -1) if names[:end] in self.modules)
        module, rest = self.modules[at], names[len(at) :]
        if not rest or rest[0] in module.items:
            return module
        for _, path, alias in module.uses:
            if alias in (rest[0], "*"):
                path = self.absolute(module, path[:-1] + rest[:1] if alias == "*" else path)
                if path is not None and (found := self.home(path + rest[1:], seen)):
                    return found
        return None if any(alias == "*" for _, _, alias in module.uses) else module

    def needs(self):
        """Returns which files each file needs."""
        needs = {module.file: set() for module in self.modules.values()}
        for module in self.modules.values():
            names = {alias: path for _, path, alias in module.uses}
            paths = [path for is_public, path, _ in module.uses if not (is_public and module.file.endswith(MODS))]
            paths += [names.get(path[0], path[:1]) + path[1:] for path in module.paths]
            for path in paths:
                absolute = self.absolute(module, path)
                home = absolute is not None and self.home(absolute)
                if home and home.file != module.file:
                    needs[module.file].add(home.file)
        return needs


def circles(needs):
    """Returns the sets of files each of which leads to all others of its set (Tarjan)."""
    number, low, stack, found = {}, {}, [], []

    def visit(file):
        number[file] = low[file] = len(number)
        stack.append(file)
        for other in sorted(needs[file]):
            if other not in number:
                visit(other)
            if other in stack:
                low[file] = min(low[file], low[other])
        if low[file] == number[file]:
            at = stack.index(file)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for file in sorted(needs):
        if file not in number:
            visit(file)
    return found


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    most = int(sys.argv[2]) if len(sys.argv) == 3 else 0
    modules = read(sys.argv[1])
    if () not in modules:
        sys.exit(f"{sys.argv[1]}: no lib.rs in there")
    needs = Crate(modules).needs()
    found = circles(needs)
    for files in found:
        print(f"a circle of {len(files)} files:")
        for file in files:
            print(f"    {file} needs {' '.join(sorted(needs[file].intersection(files)))}")
    print(f"{len(needs)} files, {len(found)} circles")
    sys.exit(len(found) > most)


if __name__ == "__main__":
    main()
