"""Mutations of valid input: of bytes, of plain values, and of what they are written as.

Every function draws from the generator that it is given, so that a seed repeats it.
"""

from __future__ import annotations

import json
import marshal
import math
import struct
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

OUTSIDE = Path(tempfile.gettempdir()) / "zim-fuzz-outside"
"""A folder that no reader may touch; inputs name it."""
WHOLE = (0, 1, -1, 2, 7, 127, 128, 255, 256, 32767, 65535, 65536, 2**24, 2**31 - 1)
WHOLE = (*WHOLE, 2**31, 2**32 - 1, 2**32, 2**53 + 1, 2**62, 2**63 - 1, -(2**63), 2**64)
NUMBERS = (*WHOLE, 10**30, 10**400, -(10**400), 0.5, -0.0, 5e-324, 1e30, -1e30, 1.8e308)
TEXTS = (
    *("", " ", "\0", "a\0b", "\n", "x\ny", "NaN", "1_000", "-1", "1e5", "{}", "%s%n"),
    *("..", "../outside.png", "a/../../outside.png", "..\\outside.png", "C:\\x", "CON"),
    *(str(OUTSIDE / "secret.png"), str(OUTSIDE), "/dev/zero", "//server/x", "~root"),
    *("{0}", "{a.__class__}", "{x:99999999}", "\ud800", "caf\udce9.png", "é" * 300),
    *("x" * 300, "x" * 5000, "\u202egnp", "True", "null", "model.safetensors", "١"),
)
_DEEP = ("[" * 100_000, "[" * 5000 + "]" * 5000, '{"a":' * 5000 + "0" + "}" * 5000)
_UNPLAIN = ("1e400", "-1e400", "NaN", "Infinity", "-Infinity", "9" * 5000, *_DEEP)
"""What no plain value writes, but JSON may hold."""
_MARK = "@unplain@"
LARGE, MOST_PLACES = 20_000, 2000
"""Items of what is unusually long; places of a value that may be changed."""

Place = tuple[Any, Any]
"""A list or dictionary, and an index or key of it."""


def is_in(rng: Random, share: float) -> bool:
    """True in that share of the cases."""
    return rng.random() < share


def hostile_value(rng: Random) -> Any:
    """A plain value of any type."""
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice((math.nan, math.inf, -math.inf)),
        lambda: rng.choice(TEXTS),
        lambda: rng.choice((None, True, False)),
        lambda: rng.choice(([], {}, [[]], [None], [{}], {"": 0}, [[[[]]]], [1, 2, 3])),
        lambda: _MARK,
        lambda: rng.uniform(-1e7, 1e7),
    )
    return _copy(rng.choice(kinds)())


def _copy(value: Any) -> Any:
    return marshal.loads(marshal.dumps(value))


def mutate_value(rng: Random, value: Any) -> Any:
    """A plain value with a few changes in its structure."""
    root = [json.loads(json.dumps(value))]
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        _change(rng, *rng.choice(list(islice(_places(root), MOST_PLACES))))
    return root[0]


def _places(node: Any) -> Iterator[Place]:
    keys: Any = range(len(node)) if isinstance(node, list) else list(node)
    for key in keys:
        yield node, key
        if isinstance(node[key], list | dict):
            yield from _places(node[key])


def _change(rng: Random, owner: Any, key: Any) -> None:
    value = owner[key]
    match rng.randrange(10):
        case 0 if len(owner) > 1:
            del owner[key]
        case 1 if isinstance(owner, dict):
            owner[rng.choice((*TEXTS, f"{key}x", "version", "path"))] = owner.pop(key)
        case 2 if isinstance(owner, list):
            owner[key:key] = [_copy(value) for _ in range(rng.choice((1, 3)))]
        case 3 if isinstance(owner, list) and not isinstance(value, list | dict):
            owner[key:key] = [value] * (LARGE if is_in(rng, 0.1) else 10)
        case 4:
            owner[key] = [value] if is_in(rng, 0.5) else {"a": value}
        case 5 if isinstance(value, str) and value != _MARK:
            owner[key] = value[: len(value) // 2] + rng.choice(TEXTS) + value
        case 6 if isinstance(value, int | float) and abs(value) < 1e300:
            owner[key] = rng.choice((-value, value + 1, value * 2, value / 3, value**2))
        case _:
            owner[key] = hostile_value(rng)


def hostile_json(rng: Random, value: Any) -> bytes:
    """A JSON text of a plain value, mutated as a value, as text or as bytes."""
    if is_in(rng, 0.9):
        value = mutate_value(rng, value)
    text = json.dumps(value, ensure_ascii=is_in(rng, 0.7))
    for _ in range(8):  # of them, a long list may hold many
        text = text.replace(f'"{_MARK}"', rng.choice(_UNPLAIN), 1)
    if is_in(rng, 0.1) and "{" in text:
        text = _with_a_key_twice(rng, text)
    data = text.encode("utf-8", "surrogatepass")
    if is_in(rng, 0.1):
        data = rng.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\0", b" " * LARGE)) + data
    return mutate_bytes(rng, data) if is_in(rng, 0.15) else data


def _with_a_key_twice(rng: Random, text: str) -> str:
    at = rng.choice(
        [i for i, character in enumerate(text[:100_000]) if character == "{"]
    )
    key = rng.choice(
        [part for part in text.split('"')[1:40:2] if len(part) < 40] or [""]
    )
    other = json.dumps(rng.choice((*NUMBERS[:8], *TEXTS, None, [], {})))
    return f'{text[: at + 1]}"{key}": {other}, {text[at + 1 :]}'


def hostile_text(rng: Random, lines: list[str]) -> bytes:
    """Lines of text, some of them repeated, moved, cut or replaced."""
    lines = list(lines)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(lines)) if lines else 0
        match rng.randrange(6):
            case 0:
                lines[at : at + 1] = []
            case 1:
                lines[at:at] = lines[at : at + 1] * rng.choice((1, 2, 50))
            case 2 if lines:
                other = rng.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
            case _ if lines:
                lines[at] = _hostile_line(rng, lines[at])
    text = rng.choice(("\n", "\n", "\n", "\r\n", "\r")).join(lines) + "\n"
    data = text.encode("utf-8", "surrogateescape" if is_in(rng, 0.5) else "replace")
    return mutate_bytes(rng, data) if is_in(rng, 0.3) else data


def _hostile_line(rng: Random, line: str) -> str:
    """A line with one of its words replaced."""
    separator = rng.choice((" ", ",", ";", "=", "\t"))
    words = line.split(separator)
    new = rng.choice(
        (
            *(str(rng.choice(NUMBERS[:-10])), f"{rng.uniform(-9, 9):.3f}"),
            *("9" * 5000, "nan", "inf", "-inf", '"', "'''", ","),
            *("[" * 5000, "{" * 5000, ";" * 2000),
            *(text.replace("\ud800", "\udce9") for text in TEXTS),
        )
    )
    words[rng.randrange(len(words))] = new
    return separator.join(words)


def mutate_bytes(rng: Random, data: bytes, start: int = 0) -> bytes:
    """Bytes with a few changes at or after ``start``."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        if len(changed) <= start:
            changed += bytes(rng.randrange(256) for _ in range(4))
        # Headers come first: half of the changes go there.
        end = min(len(changed), start + 64) if is_in(rng, 0.5) else len(changed)
        _change_bytes(rng, changed, rng.randrange(start, end))
    return bytes(changed)


def _change_bytes(rng: Random, data: bytearray, at: int) -> None:
    match rng.randrange(8):
        case 0:
            data[at] ^= 1 << rng.randrange(8)
        case 1:
            data[at] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))
        case 2 | 3:
            size = rng.choice((2, 4, 4, 8))
            data[at : at + size] = number_bytes(rng, size)
        case 4:
            del data[at:]
        case 5:
            del data[at : at + rng.choice((1, 2, 4, 16, 300))]
        case 6:
            part = data[at : at + rng.choice((1, 4, 12, 100))]
            to = rng.randrange(len(data) + 1)
            data[to:to] = part * rng.choice((1, 1, 2, 50))
        case _:
            data[at:at] = rng.choice((b"\0" * 64, b"\xff" * 64, b"\xc3\x28", b"\0"))


def number_bytes(rng: Random, size: int) -> bytes:
    """A number of ``size`` bytes, in either order, of those that are seldom handled."""
    number = rng.choice(WHOLE) & (1 << 8 * size) - 1
    return number.to_bytes(size, rng.choice(("little", "big")))


def overwrite(data: bytes, form: str, offset: int, *values: float) -> bytes:
    """Bytes with numbers packed over those at an offset."""
    changed = bytearray(data)
    struct.pack_into(form, changed, offset, *values)
    return bytes(changed)
