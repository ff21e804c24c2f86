# SPDX-License-Identifier: GPL-2.0-or-later
"""crashpod.json beside docs/crashpod.schema.json, by python3-jsonschema."""

import functools
import json
import unicodedata

import jsonschema

from ground import paths

SCHEMA = paths.TOP / "docs/crashpod.schema.json"


@functools.cache
def validator():
    """Of the schema, which has to be sound itself."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def _unique(pairs):
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError(f"a key appears twice: {', '.join(keys)}")
    return dict(pairs)


def _controls(text):
    """Characters that may steer a terminal: all of them have to be escaped."""
    return sorted({f"U+{ord(c):04X}" for c in text
                   if c != "\n" and unicodedata.category(c) in ("Cc", "Zl", "Zp")})


def _short(message):
    """Some messages begin with all of the record."""
    return message if len(message) < 200 else "... " + message[-200:]


def problems(data):
    """What is wrong with the bytes of a record; an empty list where nothing is."""
    try:
        text = data.decode("utf-8")
        record = json.loads(text, object_pairs_hook=_unique)
    except ValueError as e:
        return [str(e)]
    found = [f"{'/'.join(map(str, e.absolute_path)) or 'the record'}: {_short(e.message)}"
             for e in validator().iter_errors(record)]
    raw = _controls(text)
    return sorted(found) + ([f"control characters as they are: {', '.join(raw)}"] if raw else [])


def judge(path):
    """Why the file is no record as the schema has it, or None."""
    found = problems(path.read_bytes())
    return "; ".join(found)[:600] if found else None
