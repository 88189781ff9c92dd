# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures in files/ with Pillow and NumPy, independently of the readers that they test.

NAME.npy beside NAME.EXT holds the samples that a reader must find, [height, width, channels].
Usage: python3 make_files.py FOLDER
"""
import pathlib
import struct
import sys
import zlib

import numpy as np
from PIL import Image, ImageOps, PngImagePlugin

OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
HEIGHT, WIDTH = 5, 7
rng = np.random.default_rng(1)


def expect(name, array):
    np.save(OUT / f"{name}.npy", np.ascontiguousarray(array))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack_rows(samples, depth):
    """samples [h][w][c] -> rows of packed bytes, each with filter byte 0."""
    out = b""
    for row in samples:
        if depth == 16:
            data = row.astype(">u2").tobytes()
        elif depth == 8:
            data = row.astype(np.uint8).tobytes()
        else:
            bits = "".join(format(int(v), f"0{depth}b") for v in row.reshape(-1))
            bits += "0" * (-len(bits) % 8)
            data = bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))
        out += b"\0" + data
    return out


def png(name, samples, colour, depth, extra=b"", interlace=False, size=None):
    h, w = size or samples.shape[:2]
    if interlace:
        raw = b""
        for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
                               (0, 1, 1, 2)]:
            part = samples[y0::dy, x0::dx]
            if part.size:
                raw += pack_rows(part, depth)
    else:
        raw = pack_rows(samples, depth)
    header = struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, int(interlace))
    data = (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", zlib.compress(raw, 9)) +
            chunk(b"IEND", b""))
    (OUT / f"{name}.png").write_bytes(data)
    return data


def noise(channels, depth=8):
    return rng.integers(0, 1 << depth, (HEIGHT, WIDTH, channels))


# PNG: every colour type and depth.
for name, channels, colour in [("gray", 1, 0), ("graya", 2, 4), ("rgb", 3, 2), ("rgba", 4, 6)]:
    for depth in (8, 16):
        samples = noise(channels, depth)
        png(f"png_{name}{depth}", samples, colour, depth)
        expect(f"png_{name}{depth}", samples.astype(np.uint8 if depth == 8 else np.uint16))
for depth in (1, 2, 4):
    samples = noise(1, depth)
    png(f"png_gray{depth}", samples, 0, depth)
    expect(f"png_gray{depth}", (samples * (255 // ((1 << depth) - 1))).astype(np.uint8))
palette = rng.integers(0, 256, (4, 3)).astype(np.uint8)
alphas = np.array([0, 100, 255, 255], np.uint8)
index = noise(1, 2)
png("png_palette", index, 3, 2, chunk(b"PLTE", palette.tobytes()))
expect("png_palette", palette[index[..., 0]])
png("png_palette_alpha", index, 3, 2, chunk(b"PLTE", palette.tobytes()) + chunk(b"tRNS", alphas[:2].tobytes()))
expect("png_palette_alpha", np.dstack([palette[index[..., 0]], alphas[index[..., 0]]]))
samples = noise(1)
png("png_gray_key", samples, 0, 8, chunk(b"tRNS", struct.pack(">H", int(samples[1, 1, 0]))))
expect("png_gray_key", np.dstack([samples, np.where(samples == samples[1, 1], 0, 255)]).astype(np.uint8))
samples = noise(3)
key = [int(v) for v in samples[2, 3]]
png("png_rgb_key", samples, 2, 8, chunk(b"tRNS", struct.pack(">HHH", *key)))
expect("png_rgb_key", np.dstack([samples, np.where((samples == key).all(-1), 0, 255)]).astype(np.uint8))
samples = noise(3)
png("png_interlaced", samples, 2, 8, interlace=True)
expect("png_interlaced", samples.astype(np.uint8))
# A profile that libpng would complain of, and text: both are to be ignored in silence.
samples = noise(3)
png("png_odd_chunks", samples, 2, 8, chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile")) +
    chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * 1000)) + chunk(b"gAMA", struct.pack(">I", 45455)))
expect("png_odd_chunks", samples.astype(np.uint8))
png("huge", noise(1), 0, 8, size=(60000, 60000))
short = noise(3)
png("bad_short_data", short[:2], 2, 8, size=(HEIGHT, WIDTH))
frames = [Image.fromarray(noise(3).astype(np.uint8)) for _ in range(2)]
frames[0].save(OUT / "animated.png", save_all=True, append_images=frames[1:])

# JPEG. The picture is smooth, so that its colours survive.
y, x = np.mgrid[0:16, 0:24]
smooth = np.dstack([x * 10, y * 15, 255 - x * 5 - y * 5]).astype(np.uint8)
image = Image.fromarray(smooth)
for name, source, options in [("jpeg_rgb", image, {}), ("jpeg_gray", image.convert("L"), {}),
                              ("jpeg_progressive", image, {"progressive": True}),
                              ("jpeg_420", image, {"subsampling": 2}),
                              ("jpeg_restart", image, {"restart_marker_blocks": 1})]:
    source.save(OUT / f"{name}.jpg", **{"quality": 95, "subsampling": 0, **options})
    expect(name, np.atleast_3d(np.asarray(Image.open(OUT / f"{name}.jpg"))))
image.convert("CMYK").save(OUT / "cmyk.jpg")
data = bytearray((OUT / "jpeg_rgb.jpg").read_bytes())
at = data.index(b"\xff\xc0")
data[at + 5:at + 9] = struct.pack(">HH", 60000, 60000)
(OUT / "huge.jpg").write_bytes(data)

# All orientations: the stored picture is turned so that `upright` comes back.
expect("upright", smooth)
undo = {1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270}
for number, method in undo.items():
    stored = image.transpose(method) if method is not None else image
    exif = Image.Exif()
    exif[0x0112] = number
    for ext, options in [("jpg", {"quality": 98, "subsampling": 0, "exif": exif}), ("png", {"exif": exif}),
                         ("webp", {"lossless": True, "exif": exif}), ("tiff", {"tiffinfo": {274: number}})]:
        path = OUT / f"turned{number}.{ext}"
        stored.save(path, **options)
        upright = np.asarray(ImageOps.exif_transpose(Image.open(path)))
        assert upright.shape == smooth.shape and np.abs(upright.astype(int) - smooth).max() < 12, path

# WebP.
for name, channels in [("rgb", 3), ("rgba", 4)]:
    samples = noise(channels).astype(np.uint8)
    Image.fromarray(samples).save(OUT / f"webp_{name}.webp", lossless=True, exact=True)
    expect(f"webp_{name}", samples)
image.save(OUT / "webp_lossy.webp", quality=90)
expect("webp_lossy", np.asarray(Image.open(OUT / "webp_lossy.webp")))
frames[0].save(OUT / "animated.webp", save_all=True, append_images=frames[1:], lossless=True)
data = bytearray((OUT / "turned6.webp").read_bytes())
assert data[12:16] == b"VP8X"
data[24:30] = (60000 - 1).to_bytes(3, "little") * 2
(OUT / "huge.webp").write_bytes(data)

# BMP and GIF.
for name, mode in [("gray", "L"), ("rgb", "RGB"), ("bits", "1")]:
    source = Image.fromarray(noise(3).astype(np.uint8)).convert(mode)
    source.save(OUT / f"bmp_{name}.bmp")
    expect(f"bmp_{name}", np.atleast_3d(np.asarray(source.convert("L" if mode == "1" else mode))))
# 32 bits a pixel: the fourth byte is padding without a mask for it, and alpha with one.
rgba = noise(4).astype(np.uint8)
rows = rgba[::-1, :, [2, 1, 0, 3]].tobytes()
info = struct.pack("<iiHHIIiiII", WIDTH, HEIGHT, 1, 32, 0, len(rows), 0, 0, 0, 0)
(OUT / "bmp_padded.bmp").write_bytes(struct.pack("<2sIII", b"BM", 54 + len(rows), 0, 54) + struct.pack("<I", 40) +
                                     info + rows)
expect("bmp_padded", rgba[..., :3])
info = struct.pack("<iiHHIIiiII", WIDTH, HEIGHT, 1, 32, 3, len(rows), 0, 0, 0, 0)
masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
(OUT / "bmp_alpha.bmp").write_bytes(struct.pack("<2sIII", b"BM", 122 + len(rows), 0, 122) + struct.pack("<I", 108) +
                                    info + masks + b"BGRs" + b"\0" * 48 + rows)
expect("bmp_alpha", rgba)
source = Image.fromarray(noise(3).astype(np.uint8)).quantize(8)
source.save(OUT / "bmp_palette.bmp")
expect("bmp_palette", np.asarray(source.convert("RGB")))
data = bytearray((OUT / "bmp_rgb.bmp").read_bytes())
data[18:26] = struct.pack("<ii", 60000, 60000)
(OUT / "huge.bmp").write_bytes(data)
frames[0].save(OUT / "still.gif")

# TIFF.
for name, channels, options in [("gray", 1, {}), ("rgb", 3, {}), ("rgba", 4, {}), ("lzw", 3, {"compression": "tiff_lzw"}),
                                ("deflate", 3, {"compression": "tiff_adobe_deflate"})]:
    samples = noise(channels).astype(np.uint8)
    Image.fromarray(samples.squeeze()).save(OUT / f"tiff_{name}.tiff", **options)
    expect(f"tiff_{name}", samples)
Image.fromarray(noise(1).astype(np.uint8).squeeze()).convert("1").save(OUT / "tiff_bits.tiff")
expect("tiff_bits", np.atleast_3d(np.asarray(Image.open(OUT / "tiff_bits.tiff").convert("L"))))
samples = noise(1, 16).astype(np.uint16)
Image.fromarray(samples.squeeze()).save(OUT / "tiff_gray16.tiff")
expect("tiff_gray16", samples)
frames[0].save(OUT / "pages.tiff", save_all=True, append_images=frames[1:])
frames[0].convert("CMYK").save(OUT / "cmyk.tiff")
Image.fromarray(rng.random((HEIGHT, WIDTH)).astype(np.float32)).save(OUT / "float.tiff")


def tiff(name, samples, tags, order="<", strips=1, dtype=None):
    """A plain TIFF of chunky samples; tags are (tag, type, values)."""
    h, w, c = samples.shape
    depth = samples.dtype.itemsize * 8
    data = samples.astype(samples.dtype.newbyteorder(order)).tobytes()
    rows = -(-h // strips)
    row_bytes = len(data) // h
    entries = {256: (4, [w]), 257: (4, [h]), 258: (3, [depth] * c), 259: (3, [1]), 277: (3, [c]), 278: (4, [rows])}
    entries.update({t: (k, v) for t, k, v in tags})
    parts = [data[i * rows * row_bytes:(i + 1) * rows * row_bytes] for i in range(strips)]
    entries[279] = (4, [len(p) for p in parts])
    entries[273] = (4, [0] * strips)
    start = 8 + 2 + 12 * len(entries) + 4
    extra = b""
    place = {}
    for tag in sorted(entries):
        kind, values = entries[tag]
        size = len(values) * (2 if kind == 3 else 4)
        if size > 4:
            place[tag] = start + len(extra)
            extra += b"\0" * size
    first = start + len(extra)
    entries[273] = (4, [first + sum(len(p) for p in parts[:i]) for i in range(strips)])
    body = b""
    extra = b""
    for tag in sorted(entries):
        kind, values = entries[tag]
        packed = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
        body += struct.pack(f"{order}HHI", tag, kind, len(values))
        if tag in place:
            body += struct.pack(f"{order}I", place[tag])
            extra += packed
        else:
            body += packed.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    (OUT / f"{name}.tiff").write_bytes(head + body + struct.pack(f"{order}I", 0) + extra + data)


rgba8 = noise(4).astype(np.uint8)
tiff("tiff_big_endian", rgba8, [(262, 3, [2]), (338, 3, [2])], order=">", strips=3)
expect("tiff_big_endian", rgba8)
rgba16 = noise(4, 16).astype(np.uint16)
tiff("tiff_rgba16", rgba16, [(262, 3, [2]), (338, 3, [2])])
expect("tiff_rgba16", rgba16)
rgb16 = noise(3, 16).astype(np.uint16)
tiff("tiff_rgb16", rgb16, [(262, 3, [2])])
expect("tiff_rgb16", rgb16)
gray = noise(1).astype(np.uint8)
tiff("tiff_white_is_zero", gray, [(262, 3, [0])])
expect("tiff_white_is_zero", 255 - gray)
gray = noise(1, 16).astype(np.uint16)
tiff("tiff_white_is_zero16", gray, [(262, 3, [0])])
expect("tiff_white_is_zero16", 65535 - gray)
alpha = np.where(rng.random((HEIGHT, WIDTH, 1)) < 0.5, 255, 51).astype(np.uint8)
colour = (noise(3) // 5 * 5).astype(np.uint8)
tiff("tiff_associated", np.dstack([(colour.astype(int) * alpha // 255).astype(np.uint8), alpha]),
     [(262, 3, [2]), (338, 3, [1])])
expect("tiff_associated", np.dstack([colour, alpha]))
tiff("huge", gray, [(262, 3, [1]), (256, 4, [60000]), (257, 4, [60000])])
tiff("tiff_gray_alpha", noise(2).astype(np.uint8), [(262, 3, [1]), (338, 3, [2])])
