

def pack_bits(data):
    """As it is, in pieces of up to 128 bytes, with a run of three before each (and the code that means nothing)."""
    out = b""
    while data:
        run = data[:3] if data[:3] == data[:1] * 3 else b""
        piece, data = data[len(run):len(run) + 100], data[len(run) + 100:]
        out += bytes([257 - len(run)]) + run[:1] if run else b"\x80"
        out += bytes([len(piece) - 1]) + piece if piece else b""
    return out


COMPRESS = {1: lambda data: data, 8: zlib.compress, 32773: pack_bits}


def tiff(rng, path, w, h, photometric, bits, samples, order="<", compression=1, block=None, strip=None, planar=1, extra=(), predictor=None,
         orientation=None, colours=None, formats=None, more=()):
    """A TIFF tag by tag, of random samples, for the kinds that Pillow does not write. block: a tile's width and height."""
    tags = {256: ("I", [w]), 257: ("I", [h]), 258: ("H", [bits] * samples), 259: ("H", [compression]), 262: ("H", [photometric]),
            277: ("H", [samples]), 284: ("H", [planar])}
    optional = {274: orientation and [orientation], 317: predictor and [predictor], 320: colours, 338: list(extra), 339: formats}
    tags.update({tag: ("H", values) for tag, values in optional.items() if values})
    tags.update(more)
    bw, bh = block or (w, strip or h)
    per = samples if planar == 1 else 1
    pieces = []
    for _ in range(samples // per):
        for y in range(0, h, bh):
            rows = bh if block else min(bh, h - y)
            for x in range(0, w, bw):
                data = rng.integers(0, 256, (bw * bits * per + 7) // 8 * rows).astype(np.uint8)
                if bits == 16 and photometric < 2:
                    data.view(order + "u2")[::2] >>= 8
                pieces.append(COMPRESS[compression](data.tobytes()))
    data, offsets = b"", []
    for piece in pieces:
        offsets.append(8 + len(data))
        data += piece + b"\0" * (len(piece) % 2)
    tags.update({322: ("I", [bw]), 323: ("I", [bh]), 324: ("I", offsets), 325: ("I", [len(p) for p in pieces])} if block else
                {278: ("I", [bh]), 273: ("I", offsets), 279: ("I", [len(p) for p in pieces])})
    at, entries = 8 + len(data), b""
    for tag, (kind, values) in sorted(tags.items()):
        body = struct.pack(f"{order}{len(values)}{kind}", *values)
        if len(body) > 4:
            place = struct.pack(order + "I", at)
            data, at = data + body + b"\0" * (len(body) % 2), at + len(body) + len(body) % 2
        else:
            place = body.ljust(4, b"\0")
        entries += struct.pack(order + "HHI", tag, 3 if kind == "H" else 4, len(values)) + place
    with open(path, "wb") as f:
        f.write((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data)) + data)
        f.write(struct.pack(order + "H", len(tags)) + entries + b"\0\0\0\0")


def make(rng, path):
    for w, h in SHAPES:
        for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"):
            image = mosaic(rng, w, h, {"1": "L", "P": "RGB", "I;16": "L"}.get(mode, mode))
            if mode == "I;16":
                image = Image.fromarray(rng.integers(0, 700, (h, w)).astype(np.uint16))
            else:
                image = image.quantize(40) if mode == "P" else image.convert(mode)
            for compression in (None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits"):
                name = f"{mode}-{w}x{h}-{compression}"
                image.save(path(f"{name}.tif"), "TIFF", compression=compression)
                if compression and mode not in ("1",):
                    image.save(path(f"{name}-predictor.tif"), "TIFF", compression=compression, tiffinfo={317: 2})
                if compression:
                    image.save(path(f"{name}-strips.tif"), "TIFF", compression=compression, strip_size=300)
                if compression in (None, "tiff_lzw"):
                    for orientation in range(1, 9):
                        # Pillow turns the size of a file that it maps into memory before it reads it.
                        only = compression is None and orientation > 4 and mode != "RGB" and w != h
                        image.save(path(f"{'refused-' * only}{name}-turned{orientation}.tif"), "TIFF", compression=compression,
                                   tiffinfo={274: orientation})
        for order in "<>" if h < 100 else "<":
            side = "II" if order == "<" else "MM"
            for photometric, bits, samples, extra in [
                (0, 1, 1, ()), (0, 2, 1, ()), (0, 4, 1, ()), (0, 8, 1, ()), (0, 16, 1, ()), (1, 1, 1, ()), (1, 2, 1, ()), (1, 4, 1, ()),
                (1, 8, 1, ()), (1, 16, 1, ()), (1, 8, 2, (0,)), (1, 8, 2, (2,)), (3, 1, 1, ()), (3, 2, 1, ()), (3, 4, 1, ()), (3, 8, 1, ()),
                (2, 8, 3, ()), (2, 16, 3, ()), (2, 8, 4, ()), (2, 8, 4, (0,)), (2, 8, 4, (2,)), (2, 8, 4, (999,)), (2, 16, 4, ()),
                (2, 16, 4, (0,)), (2, 16, 4, (2,)), (5, 8, 4, ()), (5, 16, 4, ()), (1, 16, 2, (2,)), (2, 16, 4, (999,)), (2, 4, 3, ()),
            ]:
                colours = rng.integers(0, 65536, 3 << bits).tolist() if photometric == 3 else None
                name = f"{photometric}-{bits}bit-{samples}-{'-'.join(map(str, extra))}-{w}x{h}-{side}"
                for compression in COMPRESS:
                    common = dict(order=order, compression=compression, extra=extra, colours=colours)
                    tiff(rng, path(f"{name}-{compression}.tif"), w, h, photometric, bits, samples, **common)
                    tiff(rng, path(f"{name}-{compression}-strips.tif"), w, h, photometric, bits, samples, strip=5, **common)
                    if h < 100:
                        tiff(rng, path(f"{name}-{compression}-tiles.tif"), w, h, photometric, bits, samples, block=(32, 16), **common)
                    if bits >= 8 and compression in (8, 1):
                        tiff(rng, path(f"{name}-{compression}-predictor.tif"), w, h, photometric, bits, samples, predictor=2, **common)
                    if bits == 8 and samples > 2 and not extra and compression in (8, 1):
                        only = photometric == 2 and samples == 4
                        tiff(rng, path(f"{'refused-' * only}{name}-{compression}-planes.tif"), w, h, photometric, bits, samples, planar=2, strip=4, **common)
            tiff(rng, path(f"signed-{w}x{h}-{side}.tif"), w, h, 1, 8, 1, order=order, formats=[2])
    rgb, grey = mosaic(rng, 53, 31, "RGB"), mosaic(rng, 53, 31, "L")
    for name, image, options in [
        ("jpeg", rgb, dict(compression="jpeg")), ("group4", grey.convert("1"), dict(compression="group4")),
        ("zstd", rgb, dict(compression="zstd")), ("lzma", rgb, dict(compression="lzma")), ("long", grey.convert("I"), {}),
        ("float", grey.convert("F"), {}), ("ycbcr", rgb.convert("YCbCr"), {}), ("lab", rgb.convert("LAB"), {}),
        ("reversed", grey.convert("1"), dict(compression="packbits", tiffinfo={266: 2})),
    ]:
        image.save(path(f"refused-{name}.tif"), "TIFF", **options)
    tiff(rng, path("refused-premultiplied.tif"), 53, 31, 2, 8, 4, extra=(1,))
