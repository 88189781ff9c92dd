#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How well large codebooks are used: runs large_codebooks, draws a plot and prints a table.

    python3 bench/large_codebooks.py --program build/train/bin/large_codebooks --photos PHOTOS --valid HELD_OUT \\
        --model models/pretrained/image-f8 -o docs/images/large-codebooks.svg --lines lines.jsonl

Options that it does not know go to the program. With --lines alone it makes plot and table of the lines of an
earlier run. Needs nothing but python3.
"""
import argparse
import json
import math
import subprocess
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 380, 64, 250, 20, 50
COLOURS = ["#999999", "#444444", "#1f77b4", "#9467bd", "#e0a800", "#bb5500", "#2ca02c", "#e377c2", "#d62728"]


def run(program, arguments, lines):
    with open(lines, "w", encoding="utf-8") as file, subprocess.Popen(
            [program, *arguments], stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            file.write(line)
            file.flush()
            print(line, end="", file=sys.stderr)
    if child.returncode:
        sys.exit(child.returncode)


def table(results):
    rows = ["| codewords | method | used | of the bound | perplexity / K | error | PSNR in dB | steps |",
            "| ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for r in results:
        psnr = f"{r['psnr']:.2f}" if "psnr" in r else "–"
        rows.append(f"| {r['entries']:,} | {r['method']} | {100 * r['usage']:.2f} % | "
                    f"{100 * r['usage'] / r['bound']:.2f} % | {r['perplexity'] / r['entries']:.3f} | "
                    f"{r['relative_error']:.4f} | {psnr} | {r['steps']:,} |")
    return "\n".join(rows)


def plot(results):
    """Share of the bound over the size of the codebook, a line for each method."""
    sizes = sorted({r["entries"] for r in results})
    low, high = math.log(sizes[0]), math.log(max(sizes[-1], sizes[0] + 1))

    def x(entries):
        return LEFT + (math.log(entries) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    def y(share):
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for tick in range(0, 11, 2):
        parts.append(f'<path d="M{LEFT} {y(tick / 10):.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>'
                     f'<text x="{LEFT - 8}" y="{y(tick / 10) + 4:.1f}" text-anchor="end">{10 * tick} %</text>')
    for entries in (s for s in sizes if s in (sizes[0], sizes[-1]) or all(
            abs(s - t) > 1000 or s >= t for t in sizes if t != s)):
        parts.append(f'<text x="{x(entries):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{entries:,}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">codewords</text>')
    for i, method in enumerate(dict.fromkeys(r["method"] for r in results)):
        points = [(x(r["entries"]), y(r["usage"] / r["bound"])) for r in results if r["method"] == method]
        colour = COLOURS[i % len(COLOURS)]
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
                     + " ".join(f"{px:.1f},{py:.1f}" for px, py in points) + '"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in points]
        at = TOP + 20 * i
        parts.append(f'<rect x="{WIDTH - RIGHT + 20}" y="{at}" width="12" height="12" fill="{colour}"/>'
                     f'<text x="{WIDTH - RIGHT + 38}" y="{at + 11}">{method}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", help="large_codebooks of a build with libtorch")
    parser.add_argument("--lines", required=True, help="what the program prints")
    parser.add_argument("-o", "--output", required=True, help="the plot, .svg")
    options, rest = parser.parse_known_args()
    if options.program:
        run(options.program, rest, options.lines)
    with open(options.lines, encoding="utf-8") as file:
        results = [r for r in map(json.loads, file) if "method" in r]
    if not results:
        sys.exit(f"{options.lines}: holds no results")
    with open(options.output, "w", encoding="utf-8") as file:
        file.write(plot(results))
    print(table(results))


if __name__ == "__main__":
    main()
