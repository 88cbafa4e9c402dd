

FIELDS = {
    16: [(0xF800, 0x7E0, 0x1F, 0), (0x7C00, 0x3E0, 0x1F, 0), (0xF00, 0xF0, 0xF, 0)],
    24: [(0xFF0000, 0xFF00, 0xFF, 0)],
    32: [(0xFF0000, 0xFF00, 0xFF, 0), (0xFF000000, 0xFF0000, 0xFF00, 0), (0xFF000000, 0xFF00, 0xFF, 0),
         (0xFF000000, 0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF0000, 0xFF00, 0xFF, 0xFF000000),
         (0xFF000000, 0xFF00, 0xFF, 0xFF0000), (0, 0, 0, 0), (0xFF00, 0xFF, 0xFF0000, 0)],
}


def bmp(path, w, h, bits, pixels, palette=b"", compression=0, masks=None, size=40, top_down=False, at_zero=False):
    """A BMP field by field, for the kinds that Pillow does not write."""
    if size == 12:
        head = struct.pack("<IHHHH", size, w, h, 1, bits)
    else:
        entries = len(palette) // 4 if bits <= 8 else 0
        head = struct.pack("<IIiHHIIIIII", size, w, -h if top_down else h, 1, bits, compression, 0, 0, 0, entries, 0)
        if masks:
            head += struct.pack("<4I", *masks)[:16 if size >= 56 else 12]
        head = head.ljust(size, b"\0")
    offset = 14 + len(head) + len(palette)
    with open(path, "wb") as f:
        f.write(b"BM" + struct.pack("<IHHI", 0, 0, 0, 0 if at_zero else offset) + head + palette + pixels)


def rows(rng, w, h, bits):
    """Random rows, each of a multiple of four bytes."""
    return rng.integers(0, 256, h * ((w * bits + 31) // 32 * 4)).astype(np.uint8).tobytes()


def runs(rng, w, h, four):
    """Run lengths of every form: runs, pixels as they are, moves, and rows that end early."""
    out = b""
    for y in range(h):
        x = 0
        while x < w:
            kind, n = rng.integers(0, 6), int(rng.integers(1, 12))
            if kind < 3:
                out += bytes([n, rng.integers(0, 256)])
                x += n
            elif kind < 5 and 3 <= n <= w - x:
                data = rng.integers(0, 256, (n + 1) // 2 if four else n).astype(np.uint8).tobytes()
                out += bytes([0, n]) + data + b"\0" * (len(data) % 2)
                x += n
            elif kind == 5 and x + n < w:
                out += bytes([0, 2, n, 0])
                x += n
            elif kind == 5 and rng.integers(0, 3) == 0:
                break
        out += b"\0\0"
    return out + b"\0\1"


def make(rng, path):
    grey = lambda count, entry=4: b"".join((bytes([i]) * 3).ljust(entry, b"\0") for i in range(count))
    for w, h in SHAPES:
        for mode in ("1", "L", "RGB", "RGBA"):
            mosaic(rng, w, h, "L" if mode == "1" else mode).convert(mode).save(path(f"{mode}-{w}x{h}.bmp"), "BMP")
        mosaic(rng, w, h, "RGB").quantize(19).save(path(f"P-{w}x{h}.bmp"), "BMP")
        for bits in (1, 4, 8, 16, 24, 32):
            for top_down in (False, True):
                for size in (12, 40, 52, 56, 64, 108, 124):
                    if size == 12 and top_down:
                        continue
                    count, entry = 1 << bits, 3 if size == 12 else 4
                    palette = rng.integers(0, 256, count * entry).astype(np.uint8).tobytes() if bits <= 8 else b""
                    name = f"{w}x{h}-{bits}bit-{size}{'-down' * top_down}"
                    bmp(path(f"{name}.bmp"), w, h, bits, rows(rng, w, h, bits), palette, size=size, top_down=top_down)
                    if size == 40 and bits <= 8:
                        half = palette[:max(2, count // 3) * 4]
                        bmp(path(f"{name}-short.bmp"), w, h, bits, rows(rng, w, h, bits), half, top_down=top_down)
                        bmp(path(f"{name}-zero.bmp"), w, h, bits, rows(rng, w, h, bits), palette, top_down=top_down, at_zero=True)
                    if size in (40, 56, 124):
                        for masks in FIELDS.get(bits, []):
                            bmp(path(f"{name}-{'-'.join(f'{m:x}' for m in masks)}.bmp"), w, h, bits, rows(rng, w, h, bits),
                                compression=3, masks=masks, size=size, top_down=top_down)
        bmp(path(f"L-{w}x{h}-ramp.bmp"), w, h, 8, rows(rng, w, h, 8), grey(256))
        bmp(path(f"1-{w}x{h}-ramp.bmp"), w, h, 1, rows(rng, w, h, 1), b"\0\0\0\0\xff\xff\xff\0")
        for four, bits in ((False, 8), (True, 4)):
            palette = rng.integers(0, 256, 4 << bits).astype(np.uint8).tobytes()
            for top_down in (False, True):
                for name, p in (("", palette), ("-ramp", grey(1 << bits))):
                    bmp(path(f"{w}x{h}-rle{bits}{'-down' * top_down}{name}.bmp"), w, h, bits, runs(rng, w, h, four), p,
                        compression=2 if four else 1, top_down=top_down)
