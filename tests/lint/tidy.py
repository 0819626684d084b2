#!/usr/bin/env python3
"""What the compiler does not check: layering, sizes, banned calls. Run by ctest."""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
MAX_FUNCTION, MAX_FILE, MAX_COLUMN = 60, 500, 100

# folder pattern -> what it may include, besides itself (quoted includes are rooted at ROOT)
LAYERS = [
    ("common/base/", []),
    ("common/ports/", ["common/base/"]),
    ("common/wire/", ["common/base/", "common/ports/bus.h", "slipway/v1/"]),
    ("common/domain/", ["common/base/", "common/wire/"]),
    ("common/config/", ["common/base/", "common/wire/"]),
    ("common/planning/", ["common/base/", "common/wire/", "common/domain/", "common/config/"]),
    ("common/state/", ["common/base/", "common/wire/", "common/ports/"]),
    (r"common/adapters/\w+/", ["common/base/", "common/ports/"]),
    (r"common/drivers/", ["common/base/", "common/wire/", "common/domain/", "common/config/",
                          "common/ports/"]),
    ("common/runtime/", ["common/"]),
    ("services/coordinator/core/", ["common/base/", "common/wire/"]),
    (r"services/notifier/channels/", ["common/base/", "common/wire/", "common/domain/",
                                      "common/config/", "common/ports/", "common/drivers/"]),
    # The gateway answers dry runs with the coordinator's own core.
    ("services/gateway/", ["common/", "services/coordinator/core/"]),
    (r"services/[\w-]+/", ["common/"]),
    ("deploy/", ["common/", "deploy/"]),
    ("tests/", ["common/", "services/", "tests/", "deploy/"]),
]
NOT_FOR_SERVICES = "common/adapters/"  # runtime/wiring.c alone knows concrete adapters
PURE = re.compile(r"common/(base|domain|planning)/|services/coordinator/core/")
IMPURE_HEADERS = re.compile(
    r"<(unistd|fcntl|pthread|signal|poll|netdb|sys/\w+|librdkafka/.*|hiredis/.*|curl/.*"
    r"|microhttpd)\.?h?>")
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|gets|atoi|atol|gmtime|localtime"
                    r"|system|strncpy)\s*\(")

problems = []


def complain(path, line, text):
    problems.append(f"{path}:{line}: {text}")


def layer_of(path):
    return next(((p, ok) for p, ok in LAYERS if re.match(p, path)), (None, None))


def check_file(path):
    text = (ROOT / path).read_text()
    lines = text.splitlines()
    pattern, allowed = layer_of(path)
    own = re.match(pattern, path).group(0) if pattern else None
    service = re.match(r"services/[\w-]+/", path)
    if service:
        allowed = [*allowed, service.group(0) + "core/"]
    if len(lines) > MAX_FILE:
        complain(path, len(lines), f"file longer than {MAX_FILE} lines")
    if path.endswith(".h") and not text.startswith("/* "):
        complain(path, 1, "a header opens by saying what it is for")
    table = False
    for number, line in enumerate(lines, 1):
        if "clang-format o" in line:
            table = "clang-format off" in line
        if len(line) > MAX_COLUMN and not table:
            complain(path, number, f"line longer than {MAX_COLUMN} columns")
        if BANNED.search(line):
            complain(path, number, "banned function")
        include = re.match(r'#include "(.+)"', line)
        if include and own:
            target = include.group(1)
            if not target.startswith((own, *allowed)):
                complain(path, number, f"{own} may not include {target}")
            if path.startswith("services/") and target.startswith(NOT_FOR_SERVICES):
                complain(path, number, "only common/runtime/wiring.c knows adapters")
            if target.endswith(".c"):
                complain(path, number, "never include a .c file")
        if PURE.match(path) and IMPURE_HEADERS.search(line):
            complain(path, number, "pure code may not touch the outside world")


def check_functions(paths):
    tags = subprocess.run(
        ["ctags", "-f", "-", "--languages=C", "--kinds-C=f", "--fields=+ne",
         "--output-format=json", *paths], cwd=ROOT, capture_output=True, text=True, check=True)
    for tag in map(json.loads, tags.stdout.splitlines()):
        length = tag.get("end", tag["line"]) - tag["line"] + 1
        if length > MAX_FUNCTION:
            complain(tag["path"], tag["line"], f"{tag['name']} is {length} lines long")


def check_crash_places(paths):
    """Every place where a process may be made to die is one in the code."""
    table = "common/ports/crash_places.def"
    code = "".join((ROOT / p).read_text() for p in paths if not p.startswith("tests/"))
    for number, line in enumerate((ROOT / table).read_text().splitlines(), 1):
        row = re.match(r"CRASH\((\w+),", line)
        if row and not re.search(rf"\bCRASH_{row.group(1)}\b", code):
            complain(table, number, f"nothing comes to CRASH_{row.group(1)}")


sources = sorted(str(p.relative_to(ROOT)) for top in ("common", "services", "deploy", "tests")
                 for p in (ROOT / top).rglob("*.[ch]"))
for source in sources:
    check_file(source)
check_crash_places(sources)
check_functions([s for s in sources if s.endswith(".c")])
print("\n".join(problems) or f"{len(sources)} files tidy")
sys.exit(bool(problems))
