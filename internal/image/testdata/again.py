

def make(rng, path):
    """Real photographs once more, in parts of odd shape and in the formats that they did not come in."""
    for i, source in enumerate(sys.argv[2:]):
        image = Image.open(source).convert("RGB")
        w, h = (int(v * f) for v, f in zip(image.size, rng.uniform(0.4, 1, 2)))
        image = image.crop((0, 0, w, h))
        name = f"{i}-{w}x{h}"
        sizes = "-to-224x224", "-to-299x299"
        image.save(path(f"{name}{sizes[i % 2]}.webp"), "WEBP", quality=int(rng.integers(40, 100)), method=2)
        image.save(path(f"{name}{sizes[1 - i % 2]}.webp"), "WEBP", lossless=True, quality=10, method=1)
        image.save(path(f"{name}{sizes[i % 2]}.tif"), "TIFF", compression="tiff_lzw", tiffinfo={317: 2})
        image.convert("CMYK").save(path(f"{name}{sizes[1 - i % 2]}.jpg"), "JPEG", quality=90, subsampling=2)
        image.convert("L").save(path(f"{name}{sizes[i % 2]}.jpg"), "JPEG", progressive=True)
        image.quantize(200).save(path(f"{name}{sizes[i % 2]}.bmp"), "BMP")
