

COLOURS = {"L": (0, 1), "RGB": (2, 3), "P": (3, 1), "LA": (4, 2), "RGBA": (6, 4)}  # type, channels
FILTERS_OF_ROWS = {"none": [0], "sub": [1], "up": [2], "average": [3], "paeth": [4], "all": [0, 1, 2, 3, 4], "back": [4, 3, 2, 1, 0]}


def filtered(kind, x, above, bpp):
    """A row as the filter of that number (PNG specification, 9.2) stores it."""
    x, b = x.astype(int), above.astype(int)
    a, c = (np.concatenate([np.zeros(bpp, int), v])[:len(v)] for v in (x, b))
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    paeth = np.where((pa <= pb) & (pa <= pc), a, np.where(pb <= pc, b, c))
    return bytes([kind]) + (x - [0 * a, a, b, (a + b) // 2, paeth][kind] & 255).astype(np.uint8).tobytes()


def make(rng, path):
    """PNG by the filters of its rows and by how its chunks lie."""
    def chunk(name, data=b"", damage=0):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data) ^ damage)

    def write(name, *chunks):
        with open(path(name + ".png"), "wb") as f:
            f.write(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))

    def header(w, h, mode, depth=8):
        return chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, COLOURS[mode][0], 0, 0, 0))

    palette = chunk(b"PLTE", rng.integers(0, 256, 768).astype(np.uint8).tobytes())
    for mode, (_, channels) in COLOURS.items():
        for depth in (8,) if mode == "P" else (8, 16):
            bpp = channels * depth // 8
            for name, kinds in FILTERS_OF_ROWS.items():
                for w, h in (1, 3), (2, 2), (5, 7), (16, 5), (17, 4), (43, 11):
                    smooth = picture(rng, w * bpp, h, 1)
                    rows = np.where(rng.random(smooth.shape) < 0.1, rng.choice([0, 1, 127, 128, 255], smooth.shape), smooth)
                    above, lines = np.zeros(w * bpp, np.uint8), b""
                    for y, row in enumerate(rows):
                        lines += filtered(kinds[y % len(kinds)], row, above, bpp)
                        above = row
                    write(f"{mode}-{depth}bit-{name}-{w}x{h}", header(w, h, mode, depth), palette if mode == "P" else b"",
                          chunk(b"IDAT", zlib.compress(lines, int(rng.integers(0, 10)))), chunk(b"IEND"))

    big = picture(rng, 300, 200, 3)
    for level in range(10):
        Image.fromarray(big).save(path(f"level{level}-300x200.png"), "PNG", compress_level=level)
    for kind in range(4):  # default, filtered, Huffman only, runs
        Image.fromarray(big).save(path(f"strategy{kind}-300x200.png"), "PNG", compress_type=kind)

    w, h = 20, 15
    lines = b"".join(bytes([y % 5]) + rng.integers(0, 256, 3 * w).astype(np.uint8).tobytes() for y in range(h))
    head, end, text, stream = header(w, h, "RGB"), chunk(b"IEND"), chunk(b"tEXt", b"a\0b"), zlib.compress(lines)
    half = len(stream) // 2
    first, second = stream[:half], stream[half:]
    whole = chunk(b"IDAT", stream)
    write("two-parts", head, chunk(b"IDAT", first), chunk(b"IDAT", second), end)
    write("parts-of-a-byte", head, *(chunk(b"IDAT", stream[i:i + 1]) for i in range(len(stream))), end)
    write("empty-part-first", head, chunk(b"IDAT"), whole, end)
    write("empty-parts-between", head, chunk(b"IDAT", first), chunk(b"IDAT"), chunk(b"IDAT"), chunk(b"IDAT", second), end)
    write("empty-part-last", head, whole, chunk(b"IDAT"), end)
    write("more-in-the-part", head, chunk(b"IDAT", stream + b"xyz" * 50), end)
    write("more-parts", head, whole, chunk(b"IDAT", b"xyz"), end)
    write("more-parts-later", head, whole, text, chunk(b"IDAT", b"xyz"), end)
    write("more-after-the-end", head, whole, end, b"hello")
    write("text-around", head, text, whole, text, end)
    write("text-between", head, chunk(b"IDAT", first), text, chunk(b"IDAT", second), end)
    write("checksum-of-the-header", chunk(b"IHDR", head[8:21], 1), whole, end)
    write("checksum-of-text-before", head, chunk(b"tEXt", b"a\0b", 1), whole, end)
    write("checksum-of-text-after", head, whole, chunk(b"tEXt", b"a\0b", 1), end)
    write("checksum-of-the-picture", head, chunk(b"IDAT", stream, 1), end)
    write("checksum-of-a-part", head, chunk(b"IDAT", first, 1), chunk(b"IDAT", second), end)
    write("checksum-of-the-end", head, whole, chunk(b"IEND", b"", 1))
    write("checksum-of-zlib", head, chunk(b"IDAT", stream[:-1] + bytes([stream[-1] ^ 1])), end)
    write("cut-stream", head, chunk(b"IDAT", first), end)
    write("less-than-a-row", head, chunk(b"IDAT", zlib.compress(lines[:-1])), end)
    write("filter-5", head, chunk(b"IDAT", zlib.compress(b"\5" + lines[1:])), end)
    write("palette-of-colours", head, chunk(b"PLTE", b"abc"), whole, end)
    write("transparent-colour-too-short", head, chunk(b"tRNS", bytes(4)), whole, end)
    write("transparent-colour-too-long", head, chunk(b"tRNS", bytes(8)), whole, end)
    write("no-picture", head, end)
    write("unknown-chunk", head, chunk(b"ABCD", b"xx"), whole, end)
