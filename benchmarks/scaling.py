"""How cost grows with image size, prompts, objects and the threads of a batch.

``python benchmarks/scaling.py [--markdown FILE] [--chart FILE] [--largest 100]``
measures the bundled model and the files around it in one run, and prints tables; with
the options it writes the document and its chart.  Each value is the median of
``--rounds``.
"""

from __future__ import annotations

import argparse
import platform
import resource
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from batch import make_photos
from batch import seconds as batch_seconds
from timing import median_ms, scaled_photo

from zim_app.core.compose import union_alpha
from zim_app.core.export import ExportTarget, export
from zim_app.core.images import Image, load_image
from zim_model.arrays import WordArray
from zim_model.inference.engine import Engine
from zim_model.matting.pyramid import image_pyramid
from zim_model.prompts import Box, Point, PromptSet
from zim_model.recipe import Recipe
from zim_model.request import Request
from zim_model.runtime.threads import thread_count

SIZES = (1, 4, 12, 24, 50, 100)
"""Megapixels."""
PROMPTS = (1, 5, 20, 50, 100, 200)
OBJECTS = (1, 5, 10, 25, 50)
Table = list[tuple[str, list[float]]]
"""Names and values of rows."""
PEAK = "peak memory, MB"
MARK = "<!-- python benchmarks/scaling.py -->"
"""What follows it in the document is written anew."""


def size_costs(engine: Engine, size: int, rounds: int) -> dict[str, float]:
    """Each step of a photo of so many megapixels, and the most memory until then."""
    rgb = scaled_photo(size)
    height, width = rgb.shape[:2]
    box = Box(0.05 * width, 0.02 * height, 0.85 * width, 0.98 * height)

    def solve(key: str, i: int | None = None) -> WordArray:
        point = () if i is None else (Point(0.45 * width + i, 0.3 * height),)
        return engine.solve(Request(rgb, key, Recipe(PromptSet(point, box)))).alpha

    costs = {}
    with tempfile.TemporaryDirectory() as folder:
        path, output = Path(folder, "photo.jpg"), Path(folder, "cutout.png")
        cv2.imwrite(str(path), rgb[..., ::-1])
        costs["open a JPEG"] = median_ms(rounds, lambda i: load_image(path))
        costs["display pyramid"] = median_ms(rounds, lambda i: image_pyramid(rgb))
        costs["box"] = median_ms(rounds, lambda i: solve(f"{size} {i}"))
        solve("clicked", 0)
        costs["click after it"] = median_ms(rounds, lambda i: solve("clicked", i + 1))
        image, target = load_image(path), [ExportTarget(solve("clicked"))]
        costs["export a PNG"] = median_ms(
            rounds, lambda i: export(image, target, output)
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    costs[PEAK] = peak * (1 if sys.platform == "darwin" else 1 << 10) / 1e6
    return costs


def prompt_costs(count: int, rounds: int) -> dict[str, float]:
    """All points at once, and the last one where the others are remembered."""
    rgb, engine = scaled_photo(12), Engine()
    height, width = rgb.shape[:2]
    places = np.random.default_rng(0).uniform(0.3, 0.7, (count + rounds, 2))
    points = [Point(x * width, y * height) for x, y in places.tolist()]

    def solve(key: str, chosen: Sequence[Point]) -> None:
        engine.solve(Request(rgb, key, Recipe(PromptSet(tuple(chosen)))))

    before = points[: count - 1]
    if before:
        solve("warm", before)
    fewer = 1 if count > 20 else rounds
    return {
        "all at once": median_ms(fewer, lambda i: solve(f"{i}", points[:count])),
        "the last one": median_ms(
            rounds, lambda i: solve("warm", [*before, points[count + i]])
        ),
    }


def object_costs(count: int, rounds: int) -> dict[str, float]:
    """What is done with the mattes of all objects."""
    rgb = scaled_photo(12)
    height, width = rgb.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    alphas = []
    for place in np.random.default_rng(0).uniform(0.1, 0.9, (count, 2)):
        distance = np.hypot(x - place[0] * width, y - place[1] * height)
        soft = np.clip((0.06 * height - distance) / 8, 0, 1)
        alphas.append((soft * 65535).astype(np.uint16))
    image, targets = Image.from_array(rgb), [ExportTarget(alpha) for alpha in alphas]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "layers.ora")
        return {
            "unite the mattes": median_ms(rounds, lambda i: union_alpha(alphas)),
            "export as layers": median_ms(1, lambda i: export(image, targets, output)),
        }


def table_of(columns: Sequence[dict[str, float]]) -> Table:
    """Columns of named values as rows."""
    return [(name, [column[name] for column in columns]) for name in columns[0]]


def by_threads(photos: int, rounds: int) -> Table:
    """Of a batch, by the threads that read and write beside the model, in turns."""
    engine, counts = Engine(), (0, 1, 2)
    engine.backend("zim-tiny")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "photos")
        folder.mkdir()
        make_photos(folder, photos, 3)
        seconds = [
            [
                batch_seconds(engine, folder, Path(name, f"{i} {count}"), count)[0]
                for count in counts
            ]
            for i in range(rounds)
        ]
    rows = np.median(seconds, 0) * 1e3 / photos
    return [("a photo of 3 megapixels", rows.tolist())]


def markdown(title: str, unit: str, columns: Sequence[int], table: Table) -> str:
    """A table with a line for each row."""
    lines = [f"## {title}", "", f"| {unit} | " + " | ".join(map(str, columns)) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for name, values in table:
        cells = " | ".join(f"{value:,.0f}" for value in values)
        lines.append(f"| {name} | {cells} |")
    return "\n".join([*lines, ""])


def chart(sizes: Sequence[int], table: Table) -> str:
    """Cost by image size as an SVG picture, both axes logarithmic."""
    colours = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#aa3377")
    shown = [(name, values) for name, values in table if "MB" not in name]
    low, high = (f(v for _, row in shown for v in row) for f in (min, max))

    def at(size: float, value: float) -> tuple[float, float]:
        x = 60 + 420 * np.log(size / sizes[0]) / np.log(sizes[-1] / sizes[0])
        return x, 320 - 290 * np.log(value / low) / np.log(high / low)

    parts = []
    for size in sizes:
        x, _ = at(size, low)
        parts.append(f'<text x="{x:.0f}" y="345" text-anchor="middle">{size}</text>')
    for power in range(int(np.ceil(np.log10(low))), int(np.log10(high)) + 1):
        _, y = at(sizes[0], 10**power)
        parts.append(
            f'<line x1="60" x2="480" y1="{y:.0f}" y2="{y:.0f}" stroke="#ccc"/>'
        )
        parts.append(
            f'<text x="54" y="{y + 4:.0f}" text-anchor="end">{10**power:,}</text>'
        )
    for i, (name, values) in enumerate(shown):
        line = " ".join(
            "{:.1f},{:.1f}".format(*at(*pair))
            for pair in zip(sizes, values, strict=True)
        )
        colour, top = colours[i], 40 + 20 * i
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}"/>')
        parts.append(f'<text x="500" y="{top}" fill="{colour}">{name}</text>')
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="375" '
        'font-family="sans-serif" font-size="12">'
        '<rect width="640" height="375" fill="white"/>'
        + "".join(parts)
        + '<text x="270" y="366" text-anchor="middle">megapixels</text>'
        '<text x="12" y="20">milliseconds</text></svg>\n'
    )


def machine() -> str:
    """The processor, what it has, and the threads that were used."""
    name, flags = platform.processor() or platform.machine(), ""
    info = Path("/proc/cpuinfo")
    if info.exists():
        entries = dict(
            map(str.strip, line.split(":", 1))
            for line in info.read_text().splitlines()
            if ":" in line
        )
        name = entries.get("model name", name)
        known = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16")
        flags = ", ".join(x for x in known if x in entries.get("flags", "").split())
    return f"{name}, {thread_count()} threads, {flags or 'flags unknown'}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--largest", type=int, default=100, help="megapixels")
    parser.add_argument("--photos", type=int, default=8, help="of the batch")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--chart", type=Path)
    args = parser.parse_args()
    sizes = [size for size in SIZES if size <= args.largest]
    engine, rounds = Engine(cache_bytes=1 << 28), args.rounds
    size_table = table_of([size_costs(engine, size, rounds) for size in sizes])
    by_prompts = table_of([prompt_costs(count, rounds) for count in PROMPTS])
    by_objects = table_of([object_costs(count, rounds) for count in OBJECTS])
    unit = "milliseconds"
    parts = [
        f"Medians of {rounds} on {machine()}.\n",
        markdown("Image size, megapixels", unit, sizes, size_table),
        markdown("Prompts, 12 megapixels", unit, PROMPTS, by_prompts),
        markdown("Objects, 12 megapixels", unit, OBJECTS, by_objects),
        markdown(
            "Threads of a batch", unit, (0, 1, 2), by_threads(args.photos, args.rounds)
        ),
    ]
    text = "\n".join(parts)
    print(text)
    if args.markdown is not None:
        head, _, _ = args.markdown.read_text("utf-8").partition(MARK)
        args.markdown.write_text(f"{head}{MARK}\n\n{text}", "utf-8")
    if args.chart is not None:
        args.chart.write_text(chart(sizes, size_table), "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
