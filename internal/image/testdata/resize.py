

def make(rng, path):
    """Small pictures of any shape: their names say to which size the test brings them."""
    for i in range(1500):
        w, h, to_w, to_h = (int(v) for v in rng.integers(1, rng.choice([8, 40, 120]), 4))
        if i % 3 == 0:  # where Pillow changes the order of its passes
            h = max(1, to_h + 2 * (w - to_w) + int(rng.integers(-1, 2)))
        image = Image.fromarray(rng.integers(0, 256, (h, w, 3)).astype(np.uint8))
        image.save(path(f"{i}-{w}x{h}-to-{to_w}x{to_h}.bmp"), "BMP")
