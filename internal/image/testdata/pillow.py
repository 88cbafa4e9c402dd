"""What Pillow makes of image files, as SHA-256 of the bytes. make DIR: write files of every kind first."""
import hashlib, json, os, struct, sys, zlib
import numpy as np
from PIL import Image

FILTERS = {"bilinear": Image.Resampling.BILINEAR, "box": Image.Resampling.BOX}


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


def describe(path, sizes, grid_sizes):
    with Image.open(path) as file:
        file.load()
        rgb, grey, ops = file.convert("RGB"), file.convert("L"), {}
        ops["RGB"], ops["L"] = digest(rgb), digest(grey)
        for w, h in sizes:
            for name, filter in FILTERS.items():
                ops[f"RGB {w}x{h} {name}"] = digest(rgb.resize((w, h), filter))
        for w, h in grid_sizes:
            for name, filter in FILTERS.items():
                ops[f"L {w}x{h} {name}"] = digest(grey.resize((w, h), filter))
        return {"Path": path, "Mode": file.mode, "Ops": ops}


def picture(rng, w, h, channels):
    """Smooth shapes with noise on top, so that every part of a JPEG decoder has work."""
    y, x = np.mgrid[0:h, 0:w]
    waves = [np.sin(x * rng.uniform(0.01, 0.5) + y * rng.uniform(0.01, 0.5) + rng.uniform(0, 6)) for _ in range(channels)]
    noise = rng.normal(0, 20, (h, w, channels))
    pixels = np.clip(128 + 110 * np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


def png(path, w, h, depth, colour, rows, extra=b"", interlace=0):
    """A PNG chunk by chunk, for the kinds that Pillow does not write. rows: packed bytes of each row."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, interlace)))
        f.write(extra and b"".join(chunk(name, data) for name, data in extra) or b"")
        f.write(chunk(b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))) + chunk(b"IEND", b""))


def adam7(pixels):
    """The seven passes of an interlaced 8-bit picture, as rows."""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]:
        part = pixels[y0::dy, x0::dx]
        if part.shape[1]:
            yield from (row.tobytes() for row in part)


def resample(source, target, factors):
    """Gives a baseline JPEG other sampling factors with as many blocks in each unit: another picture, and a valid file."""
    data = bytearray(open(source, "rb").read())
    sof = data.index(b"\xff\xc0")
    data[sof + 11] = factors
    open(target, "wb").write(data)


def make(folder):
    rng, paths = np.random.default_rng(7), []

    def path(name):
        paths.append(os.path.join(folder, name))
        return paths[-1]

    for w, h in [(1, 1), (7, 9), (53, 31), (130, 97)]:
        for channels, mode in [(1, "L"), (3, "RGB"), (4, "CMYK")]:
            image = Image.frombytes(mode, (w, h), picture(rng, w, h, channels).tobytes())
            for quality in (15, 75, 95, 100):
                for subsampling in ((0, 1, 2) if mode == "RGB" else (0,)):
                    for progressive in (False, True):
                        image.save(path(f"{mode}-{w}x{h}-q{quality}-s{subsampling}-{'p' if progressive else 'b'}.jpg"), "JPEG",
                                   quality=quality, subsampling=subsampling, progressive=progressive)
            if mode == "RGB":
                image.save(path(f"{mode}-{w}x{h}-restart.jpg"), "JPEG", restart_marker_blocks=2)
                image.save(path(f"{mode}-{w}x{h}-kept.jpg"), "JPEG", keep_rgb=True)
                exif = Image.Exif()
                exif[0x0112] = 6
                image.save(path(f"{mode}-{w}x{h}-turned.jpg"), "JPEG", exif=exif)
        for channels, mode in [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")]:
            pixels = picture(rng, w, h, channels)
            image = Image.frombytes(mode, (w, h), pixels.tobytes())
            image.save(path(f"{mode}-{w}x{h}.png"), "PNG")
            colour = {"L": 0, "LA": 4, "RGB": 2, "RGBA": 6}[mode]
            cube = pixels.reshape(h, w, channels)
            png(path(f"{mode}-{w}x{h}-interlaced.png"), w, h, 8, colour, adam7(cube), interlace=1)
            deep = rng.integers(0, 65536, (h, w, channels)).astype(">u2")
            if mode == "L":
                deep[::2] >>= 8
            png(path(f"{mode}-{w}x{h}-16bit.png"), w, h, 16, colour, [row.tobytes() for row in deep])
            if mode in ("L", "RGB"):
                key = struct.pack(f">{channels}H", *[int(v) for v in cube[0, 0]])
                png(path(f"{mode}-{w}x{h}-key.png"), w, h, 8, colour, [row.tobytes() for row in cube], [(b"tRNS", key)])
                key = struct.pack(f">{channels}H", *[int(v) for v in deep[0, 0]])
                png(path(f"{mode}-{w}x{h}-16bit-key.png"), w, h, 16, colour, [row.tobytes() for row in deep], [(b"tRNS", key)])
        for depth in (1, 2, 4, 8):
            count = 1 << depth
            numbers = rng.integers(0, count, (h, w)).astype(np.uint8)
            bits = np.unpackbits(numbers[..., None], axis=2)[..., 8 - depth:].reshape(h, w * depth)
            rows = [np.packbits(row).tobytes() for row in bits]
            if depth < 8:
                png(path(f"L-{w}x{h}-{depth}bit.png"), w, h, depth, 0, rows)
                png(path(f"L-{w}x{h}-{depth}bit-key.png"), w, h, depth, 0, rows, [(b"tRNS", b"\0\1")])
            colours = rng.integers(0, 256, 3 * count).astype(np.uint8).tobytes()
            png(path(f"P-{w}x{h}-{depth}bit.png"), w, h, depth, 3, rows, [(b"PLTE", colours)])
            png(path(f"P-{w}x{h}-{depth}bit-alpha.png"), w, h, depth, 3, rows, [(b"PLTE", colours), (b"tRNS", bytes([0, 128]))])
            png(path(f"P-{w}x{h}-{depth}bit-short.png"), w, h, depth, 3, rows, [(b"PLTE", colours[:3 * max(1, count // 2)])])
    square = Image.frombytes("RGB", (128, 128), picture(rng, 128, 128, 3).tobytes())
    for subsampling, factors in [(1, (0x12,)), (2, (0x41, 0x14))]:
        square.save(path(f"RGB-128x128-s{subsampling}.jpg"), "JPEG", subsampling=subsampling)
        source = paths[-1]
        for f in factors:
            resample(source, path(f"RGB-128x128-factors{f:x}.jpg"), f)
    sizes = [(7, 7), (10, 10), (12, 12), (96, 96), (224, 224), (299, 299), (53, 7), (7, 31), (1, 1)]
    return [describe(p, sizes if "53x31" in p else [(7, 7), (96, 96)], sizes if "53x31" in p else [(7, 7), (96, 96)]) for p in paths]


if sys.argv[1] == "make":
    print(json.dumps(make(sys.argv[2])))
else:
    print(json.dumps([describe(p, [(96, 96), (224, 224)], [(7, 7)]) for p in sys.argv[2:]]))
