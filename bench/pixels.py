# SPDX-License-Identifier: Apache-2.0
"""Pictures for kodak.py, with the standard library alone: pixels.py FOLDER A.png B.png ... writes to FOLDER

    crop-A.ppm, crop-B.ppm ...   the middle 256 x 256 of each
    large.ppm                    6144 x 4096, the pictures side by side

It takes PNG of 8-bit RGB, not interlaced; status 3 says that there was another. It is a process of its own because
the peak memory that the system reports for a process is at least that of the one that started it.
"""
import pathlib
import struct
import sys
import typing
import zlib


class Picture(typing.NamedTuple):
    width: int
    height: int
    rows: list  # of bytes, 3 * width each


def read_png(path):
    """The picture, or None for what is not a PNG of 8-bit RGB without interlacing."""
    data = pathlib.Path(path).read_bytes()
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return None
    width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
    if (depth, colour, interlace) != (8, 2, 0):
        return None
    packed, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at:at + 4])
        if data[at + 4:at + 8] == b"IDAT":
            packed.append(data[at + 8:at + 8 + length])
        at += length + 12
    raw, stride = zlib.decompress(b"".join(packed)), 3 * width
    rows, above = [], bytes(stride)
    for y in range(height):
        start = y * (stride + 1)
        above = _unfilter(raw[start], raw[start + 1:start + 1 + stride], above)
        rows.append(above)
    return Picture(width, height, rows)


def _unfilter(kind, line, above):
    """One row from its filtered bytes and the row above it (PNG specification, section 9)."""
    if kind == 0:
        return bytes(line)
    if kind == 2:
        return bytes((a + b) & 255 for a, b in zip(line, above))
    out = bytearray(3 + len(line))  # three zeros stand left of the row
    for i, value in enumerate(line):
        left = out[i]
        if kind == 1:
            guess = left
        elif kind == 3:
            guess = (left + above[i]) >> 1
        else:
            corner = above[i - 3] if i >= 3 else 0
            by_left, by_above = abs(above[i] - corner), abs(left - corner)
            by_corner = abs(left + above[i] - 2 * corner)
            if by_left <= by_above and by_left <= by_corner:
                guess = left
            else:
                guess = above[i] if by_above <= by_corner else corner
        out[i + 3] = (value + guess) & 255
    return bytes(out[3:])


def crop(picture, width, height):
    """The middle of the picture."""
    x, y = (picture.width - width) // 2, (picture.height - height) // 2
    return Picture(width, height, [row[3 * x:3 * (x + width)] for row in picture.rows[y:y + height]])


def mosaic(pictures, width, height):
    """The pictures side by side, again from the first when all are used, cut to the size asked for."""
    cell_width, cell_height = min(p.width for p in pictures), min(p.height for p in pictures)
    columns, rows = -(-width // cell_width), []
    for y in range(height):
        line, inner = y // cell_height, y % cell_height
        cells = (pictures[(line * columns + x) % len(pictures)] for x in range(columns))
        rows.append(b"".join(cell.rows[inner][:3 * cell_width] for cell in cells)[:3 * width])
    return Picture(width, height, rows)


def write_ppm(path, picture):
    pathlib.Path(path).write_bytes(b"P6\n%d %d\n255\n" % (picture.width, picture.height) + b"".join(picture.rows))


def main():
    folder, paths = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
    pictures = [read_png(path) for path in paths]
    if any(picture is None or picture.width < 256 or picture.height < 256 for picture in pictures):
        return 3
    for path, picture in zip(paths, pictures):
        write_ppm(folder / f"crop-{path.stem}.ppm", crop(picture, 256, 256))
    write_ppm(folder / "large.ppm", mosaic(pictures, 6144, 4096))
    return 0


if __name__ == "__main__":
    sys.exit(main())
