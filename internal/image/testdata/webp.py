

def extended(source, target, flags, exif=b""):
    """Wraps a simple WebP in the extended form, with a block of EXIF behind the picture."""
    data = open(source, "rb").read()
    with Image.open(source) as image:
        w, h = image.size
    chunk = lambda name, body: name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    body = chunk(b"VP8X", bytes([flags, 0, 0, 0]) + (w - 1).to_bytes(3, "little") + (h - 1).to_bytes(3, "little"))
    body += data[12:] + (chunk(b"EXIF", exif) if exif else b"")
    open(target, "wb").write(b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WEBP" + body)


def make(rng, path):
    for w, h in SHAPES + [(16, 16), (17, 33), (64, 1), (1, 64), (2, 2), (3, 2), (140, 141)]:
        for mode in ("RGB", "RGBA"):
            image = mosaic(rng, w, h, mode)
            for quality, method in ((0, 4), (30, 0), (75, 4), (90, 5), (100, 2)):
                image.save(path(f"{mode}-{w}x{h}-q{quality}.webp"), "WEBP", quality=quality, method=method)
                effort = min(quality, 75)
                image.save(path(f"{mode}-{w}x{h}-q{quality}-lossless.webp"), "WEBP", lossless=True, quality=effort, method=method, exact=True)
                image.save(path(f"{mode}-{w}x{h}-q{quality}-free.webp"), "WEBP", lossless=True, quality=effort, method=2)
                image.save(path(f"{mode}-{w}x{h}-q{quality}-alpha.webp"), "WEBP", quality=quality, alpha_quality=20)
            image.save(path(f"{mode}-{w}x{h}-turned.webp"), "WEBP", exif=turned(8))
            others = [mosaic(rng, w, h, mode) for _ in range(2)]
            image.save(path(f"{mode}-{w}x{h}-animated.webp"), "WEBP", save_all=True, append_images=others, duration=50)
            image.save(path(f"{mode}-{w}x{h}-animated-lossless.webp"), "WEBP", save_all=True, append_images=others, lossless=True)
        smooth = Image.fromarray(np.add.outer(np.arange(h) * 3, np.arange(w) * 2).astype(np.uint8)).convert("RGB")
        smooth.save(path(f"smooth-{w}x{h}.webp"), "WEBP", quality=40)
        smooth.save(path(f"smooth-{w}x{h}-lossless.webp"), "WEBP", lossless=True)
        smooth.quantize(5).convert("RGB").save(path(f"few-{w}x{h}-lossless.webp"), "WEBP", lossless=True)
        extended(path(f"smooth-{w}x{h}.webp"), path(f"smooth-{w}x{h}-extended.webp"), 0x08, turned(3).tobytes())
        extended(path(f"smooth-{w}x{h}-lossless.webp"), path(f"smooth-{w}x{h}-lossless-extended.webp"), 0x10)
    # A picture that moves on a large canvas: the first frame covers a part of it.
    frame = np.zeros((90, 120, 4), np.uint8)
    frames = []
    for x in (20, 40, 60):
        frame[:] = 0
        frame[30:50, x:x + 21] = 200, x, 90, 255
        frames.append(Image.fromarray(frame.copy()))
    frames[0].save(path("RGBA-moving.webp"), "WEBP", save_all=True, append_images=frames[1:], minimize_size=True)
