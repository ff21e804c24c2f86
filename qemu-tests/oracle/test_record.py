#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The records of init/tests/test_record.c are as the schema has them, and so is the manual's example;
spoiled ones are refused, each for the reason that it was spoiled in."""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from ground import paths  # noqa: E402
from oracle import record  # noqa: E402

UNIT_TEST = paths.BUILD / "tests/init/tests/test_record"
MANUAL = paths.TOP / "docs/record.md"
RECORDS = {"writing", "complete", "incomplete", "incomplete-no-stats", "failed", "second-target",
           "dmesg-whole", "dmesg-cut", "dmesg-damaged", "dmesg-none", "notes-full", "hostile"}


def drop(*where):
    """Spoils a record by leaving out a key."""
    def spoil(found):
        for part in where[:-1]:
            found = found[part]
        del found[where[-1]]
    return spoil


def put(value, *where):
    """Spoils a record by another value, or by a key that there is not."""
    def spoil(found):
        for part in where[:-1]:
            found = found[part]
        found[where[-1]] = value
    return spoil


# which record, what is done to it, what is said of it
SPOILED = (
    ("complete", drop("status"), "'status' is a required property"),
    ("complete", drop("action"), "'action' is a required property"),
    ("complete", drop("dump"), "'dump' is a required property"),
    ("complete", drop("dump", "pages", "ram"), "dump/pages: 'ram' is a required property"),
    ("complete", drop("capture", "kernel"), "capture: 'kernel' is a required property"),
    ("complete", drop("steps", 0, "seconds"), "steps/0: 'seconds' is a required property"),
    ("complete", put("x", "colour"), "the record: Additional properties are not allowed"),
    ("complete", put(1, "dump", "pages", "blue"), "dump/pages: Additional properties"),
    ("complete", put("x", "targets", 0, "device"), "targets/0: Additional properties"),
    ("complete", put(1, "capture", "pid"), "capture: Additional properties"),
    ("complete", put("7", "crash_time"), "crash_time: '7' is not of type 'integer'"),
    ("complete", put(-1, "dump", "bytes_written"), "dump/bytes_written: -1 is less than"),
    ("complete", put(None, "seconds"), "seconds: None is not of type 'number'"),
    ("complete", put("done", "status"), "status: 'done' is not one of"),
    ("complete", put(32, "dump", "level_used"), "dump/level_used: 32 is greater than"),
    ("complete", put("23 November", "capture_time_utc"), "capture_time_utc: '23 November' does"),
    ("complete", put("../x", "target", "directory"), "target/directory: '../x' does not match"),
    ("complete", put("because", "reason"), "should not be valid under {'required': ['reason']}"),
    ("complete", put("incomplete", "dump", "status"), "dump/status: 'complete' was expected"),
    ("complete", put("maybe", "steps", 0, "result"), "steps/0/result: 'maybe' is not one of"),
    ("complete", put("UUID=1-2", "steps", 0, "target"),
     "should not be valid under {'required': ['target']}"),
    ("incomplete", drop("reason"), "'reason' is a required property"),
    ("incomplete", drop("targets", 0, "reason"), "targets/0: 'reason' is a required property"),
    ("incomplete", put("halt", "action"), "is valid under each of"),
    ("incomplete", drop("next_target"), "is not valid under any of"),
    ("writing", put(7, "bytes_written"), "should not be valid under"),
    ("second-target", put("mood", "removed", 0, "why"), "removed/0/why: 'mood' is not one of"),
)

# bytes that are no record, whatever their keys are
BYTES = (
    ("invalid UTF-8", lambda data: data.replace(b"crashpod ", b"crashpod \xff"), "can't decode"),
    ("cut", lambda data: data[:-4], "Expecting"),
    ("a key twice", lambda data: data.replace(b"{", b'{"version": 1, ', 1), "appears twice"),
    ("a raw C1", lambda data: data.replace(b"crashpod ", b"crashpod \xc2\x9b"), "U+009B"),
    ("a raw DEL", lambda data: data.replace(b"crashpod ", b"crashpod \x7f"), "U+007F"),
    ("a raw line separator", lambda data: data.replace(b"crashpod ", b"crashpod \xe2\x80\xa8"),
     "U+2028"),
    ("a raw ESC", lambda data: data.replace(b"crashpod ", b"crashpod \x1b"), "control character"),
)


def make(where):
    """What the unit test writes: the bytes of each record by name."""
    done = subprocess.run([UNIT_TEST], check=False, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, errors="replace",
                          env={**os.environ, "CRASHPOD_RECORDS": str(where)})
    if done.returncode != 0:
        raise paths.GroundError(f"{UNIT_TEST}: exit {done.returncode}\n{done.stdout[-2000:]}")
    return {path.stem: path.read_bytes() for path in where.glob("*.json")}


def refused(data, text):
    """Why a spoiled record was not refused as it should be, or None."""
    found = record.problems(data)
    return None if any(text in why for why in found) else f"{text!r} is not in {found}"


def spoiled(records):
    """(name, why not or None) of each record that is spoiled."""
    for i, (name, spoil, text) in enumerate(SPOILED):
        found = copy.deepcopy(json.loads(records[name]))
        spoil(found)
        yield f"refused-{i}-{name}", refused(json.dumps(found).encode(), text)
    for name, spoil, text in BYTES:
        yield f"refused {name}", refused(spoil(records["complete"]), text)


def keys(schema):
    """The names of all properties in the schema."""
    if isinstance(schema, list):
        return {key for part in schema for key in keys(part)}
    if not isinstance(schema, dict):
        return set()
    found = {key for part in schema.values() for key in keys(part)}
    # Under "if" and "then" are keys that are declared elsewhere.
    return found | set(schema["properties"]) if schema.get("type") == "object" else found


def manual():
    """(name, why not or None) of what docs/record.md has to have."""
    text = MANUAL.read_text(encoding="utf-8")
    examples = re.findall(r"^```json\n(.*?)^```$", text, re.M | re.S)
    yield "manual has an example", None if examples else "none"
    for example in examples:
        yield "manual's example", "; ".join(record.problems(example.encode())) or None
    absent = keys(record.validator().schema) - set(re.findall(r"`([a-z_]+)`", text))
    yield "manual has every key", f"not {', '.join(sorted(absent))}" if absent else None


def results():
    with tempfile.TemporaryDirectory() as tmp:
        records = make(Path(tmp))
    yield "all records are made", None if set(records) == RECORDS else f"{sorted(records)}"
    for name, data in sorted(records.items()):
        yield name, "; ".join(record.problems(data)) or None
    yield from spoiled(records)
    yield from manual()


def main():
    failed = 0
    for name, why in results():
        failed += why is not None
        print(f"pass record/{name}" if why is None else f"fail record/{name}: {why}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
