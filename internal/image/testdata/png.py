

COLOURS = {"L": 0, "RGB": 2, "P": 3, "LA": 4, "RGBA": 6}
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png(rng, path, mode, depth, values, extra=(), interlaced=False):
    """A PNG chunk by chunk, for the kinds that Pillow does not write. values [h, w, channels] of `depth` bits. Rows say at
    random which filter made them, which is valid for any bytes."""
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    def row(values):
        if depth == 16:
            return values.astype(">u2").tobytes()
        bits = np.unpackbits(values.reshape(-1, 1).astype(np.uint8), axis=1)[:, 8 - depth:]
        return np.packbits(bits).tobytes()

    h, w, _ = values.shape
    parts = [values[y0::dy, x0::dx] for x0, y0, dx, dy in PASSES] if interlaced else [values]
    rows = b"".join(bytes([rng.integers(0, 5)]) + row(line) for part in parts if part.shape[1] for line in part)
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, COLOURS[mode], 0, 0, int(interlaced))))
        f.write(b"".join(chunk(name, data) for name, data in extra))
        f.write(chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def make(rng, path):
    for w, h in SHAPES:
        for mode, depths in {"L": (1, 2, 4, 8, 16), "LA": (8, 16), "RGB": (8, 16), "RGBA": (8, 16), "P": (1, 2, 4, 8)}.items():
            if mode != "P":
                mosaic(rng, w, h, mode).save(path(f"{mode}-{w}x{h}.png"), "PNG")
                mosaic(rng, w, h, mode).save(path(f"{mode}-{w}x{h}-turned.png"), "PNG", exif=turned(6))
            for depth in depths:
                values = rng.integers(0, 1 << depth, (h, w, len(mode)))
                if mode == "L" and depth == 16:
                    values[::2] >>= 8
                count = 1 << min(depth, 8)
                colours = rng.integers(0, 256, 3 * count).astype(np.uint8).tobytes()
                plain = [(b"PLTE", colours)] if mode == "P" else []
                key = struct.pack(f">{len(mode)}H", *values[0, 0])
                for interlaced in (False, True):
                    name = f"{mode}-{w}x{h}-{depth}bit{'-interlaced' * interlaced}"
                    png(rng, path(f"{name}.png"), mode, depth, values, plain, interlaced)
                    if mode in ("L", "RGB"):
                        png(rng, path(f"{name}-key.png"), mode, depth, values, [(b"tRNS", key)], interlaced)
                    if mode == "P":
                        png(rng, path(f"{name}-alpha.png"), mode, depth, values, plain + [(b"tRNS", bytes([0, 128]))], interlaced)
                        png(rng, path(f"{name}-short.png"), mode, depth, values, [(b"PLTE", colours[:3 * max(1, count // 2)])], interlaced)
    Image.fromarray(rng.integers(0, 65536, (31, 53)).astype(np.uint16)).save(path("I;16-53x31.png"), "PNG")
    mosaic(rng, 53, 31, "RGB").quantize(17).save(path("P-53x31-quantized.png"), "PNG")
    mosaic(rng, 53, 31, "L").convert("1").save(path("1-53x31.png"), "PNG")
