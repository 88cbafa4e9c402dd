

def marked(source, target, mark, replace):
    """A copy with the first piece that begins so replaced by another."""
    data = open(source, "rb").read()
    at = data.index(mark)
    open(target, "wb").write(data[:at] + replace(data[at:]))


def resample(source, target, factors):
    """Gives a baseline JPEG other sampling factors with as many blocks in each unit: another picture, and a valid file."""
    data = bytearray(open(source, "rb").read())
    sof = data.index(b"\xff\xc0")
    for component, f in enumerate(factors):
        data[sof + 11 + 3 * component] = f
    open(target, "wb").write(data)


def make(rng, path):
    for w, h in SHAPES:
        for mode in ("L", "RGB", "CMYK"):
            image = mosaic(rng, w, h, mode)
            for quality in (15, 75, 95, 100):
                for subsampling in ((0,) if mode == "L" else (0, 1, 2)):
                    for progressive in (False, True):
                        image.save(path(f"{mode}-{w}x{h}-q{quality}-s{subsampling}-{'p' if progressive else 'b'}.jpg"), "JPEG",
                                   quality=quality, subsampling=subsampling, progressive=progressive)
                    if mode == "CMYK":  # the same bytes read as YCCK, and without Adobe's marker
                        source = path(f"{mode}-{w}x{h}-q{quality}-s{subsampling}.jpg")
                        image.save(source, "JPEG", quality=quality, subsampling=subsampling)
                        marked(source, path(f"YCCK-{w}x{h}-q{quality}-s{subsampling}.jpg"), b"\xff\xee\x00\x0eAdobe",
                               lambda rest: rest[:15] + b"\2" + rest[16:])
                        marked(source, path(f"{mode}-{w}x{h}-q{quality}-s{subsampling}-plain.jpg"), b"\xff\xee\x00\x0eAdobe",
                               lambda rest: rest[16:])
            for blocks in (1, 2, 5):
                for progressive in (False, True):
                    image.save(path(f"{mode}-{w}x{h}-restart{blocks}-{progressive}.jpg"), "JPEG", restart_marker_blocks=blocks,
                               progressive=progressive)
            if mode == "RGB":
                image.save(path(f"{mode}-{w}x{h}-kept.jpg"), "JPEG", keep_rgb=True)
                image.save(path(f"{mode}-{w}x{h}-optimized.jpg"), "JPEG", optimize=True)
                for orientation in range(1, 9):
                    image.save(path(f"{mode}-{w}x{h}-turned{orientation}.jpg"), "JPEG", exif=turned(orientation))
    square = mosaic(rng, 128, 128, "RGB")
    for subsampling, factors in [(0, []), (1, [(0x12,), (0x11, 0x21), (0x11, 0x12), (0x11, 0x11, 0x21)]), (2, [
            (0x41,), (0x14,), (0x21, 0x21, 0x21), (0x21, 0x21, 0x12), (0x22, 0x11, 0x11), (0x31, 0x21, 0x11), (0x11, 0x22, 0x11)])]:
        square.save(path(f"RGB-128x128-s{subsampling}.jpg"), "JPEG", subsampling=subsampling)
        source = path(f"RGB-128x128-s{subsampling}-source.jpg")
        square.save(source, "JPEG", subsampling=subsampling)
        for f in factors:
            resample(source, path(f"RGB-128x128-factors-{'-'.join(f'{v:x}' for v in f)}.jpg"), f)
