# SPDX-License-Identifier: Apache-2.0
"""Rate-distortion plots as SVG files that follow a light or dark page."""
import math
from xml.sax.saxutils import escape

STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #1c1f23; } .t { font-weight: bold; } .g { stroke: #d9dce0; }
.a { stroke: #5c646e; fill: none; }
.c0 { --c: #1f5fb0; } .c1 { --c: #c2571a; } .c2 { --c: #2a7d4f; } .c3 { --c: #8a3fa0; } .c4 { --c: #97790a; }
.c5 { --c: #a82c4a; } .c6 { --c: #4a5560; } .c7 { --c: #0b7285; } polyline { fill: none; stroke: var(--c); stroke-width: 2; } circle, .k { fill: var(--c); }
@media (prefers-color-scheme: dark) { text { fill: #e6e8ea; } .g { stroke: #363b42; } .a { stroke: #a0a8b2; }
.c0 { --c: #7fb2f0; } .c1 { --c: #f0a070; } .c2 { --c: #7fd0a0; } .c3 { --c: #d0a0e8; } .c4 { --c: #e0c860; }
.c5 { --c: #f090a8; } .c6 { --c: #b0bac4; } .c7 { --c: #66c2cf; } }
</style>"""


def ticks(low, high, count):
    rough = (high - low) / count
    power = 10 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def log_ticks(low, high):
    found = [f * 10.0**p for p in range(math.floor(low), math.ceil(high) + 1) for f in (1, 2, 5)]
    return [value for value in found if low <= math.log10(value) <= high]


def plot(title, x_title, curves):
    """curves: [(name, [(rate, quality, label), ...]), ...]; the text of an SVG file of 640 x 400."""
    points = [point for _, own in curves for point in own]
    xs = [math.log10(rate) for rate, _, _ in points]
    ys = [quality for _, quality, _ in points]
    room_x, room_y = 0.05 * (max(xs) - min(xs) or 1), 0.06 * (max(ys) - min(ys) or 1)
    x0, x1, y0, y1 = min(xs) - room_x, max(xs) + room_x, min(ys) - room_y, max(ys) + room_y
    at_x = lambda rate: 60 + 420 * (math.log10(rate) - x0) / (x1 - x0)
    at_y = lambda quality: 350 - 310 * (quality - y0) / (y1 - y0)
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 400" role="img">', f"<title>{escape(title)}</title>",
           STYLE, f'<text class="t" x="60" y="24">{escape(title)}</text>']
    for value in log_ticks(x0, x1):
        out += [f'<line class="g" x1="{at_x(value):.1f}" x2="{at_x(value):.1f}" y1="40" y2="350"/>',
                f'<text x="{at_x(value):.1f}" y="367" text-anchor="middle">{value:g}</text>']
    for value in ticks(y0, y1, 6):
        out += [f'<line class="g" x1="60" x2="480" y1="{at_y(value):.1f}" y2="{at_y(value):.1f}"/>',
                f'<text x="54" y="{at_y(value) + 4:.1f}" text-anchor="end">{value:g}</text>']
    out += ['<rect class="a" x="60" y="40" width="420" height="310"/>',
            f'<text x="270" y="390" text-anchor="middle">{escape(x_title)}</text>']
    for index, (name, own) in enumerate(curves):
        own = sorted(own)
        colour = f"c{index % 8}"
        if len(own) > 1:
            path = " ".join(f"{at_x(rate):.1f},{at_y(quality):.1f}" for rate, quality, _ in own)
            out.append(f'<polyline class="{colour}" points="{path}"/>')
        for rate, quality, label in own:
            out.append(f'<circle class="{colour}" cx="{at_x(rate):.1f}" cy="{at_y(quality):.1f}" r="4">'
                       f"<title>{escape(label)}: {rate:.4g}, {quality:.5g}</title></circle>")
        y = 56 + 20 * index
        out += [f'<rect class="k {colour}" x="496" y="{y - 9}" width="12" height="10"/>', f'<text x="514" y="{y}">{escape(name)}</text>']
    return "\n".join(out) + "\n</svg>\n"
