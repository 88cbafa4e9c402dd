"""What Pillow makes of image files, as SHA-256 of the bytes. The script of a kind of file follows this one and defines
make(rng, path), which writes files of that kind; without one, the files named by the arguments are described."""
import hashlib, json, os, struct, sys, warnings, zlib
import numpy as np
from PIL import Image

warnings.simplefilter("ignore")
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "box": Image.Resampling.BOX}
SHAPES = [(1, 1), (7, 9), (53, 31), (97, 230)]
ORIENTATION = 0x0112
make = None


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


def describe(path, sizes, grid_sizes):
    try:
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
            return {"Path": path, "Mode": file.mode, "Orientation": file.getexif().get(ORIENTATION, 1), "Ops": ops}
    except (OSError, SyntaxError, ValueError) as e:
        return {"Path": path, "Error": str(e)}


def picture(rng, w, h, channels):
    """Smooth shapes with noise on top, so that every part of a JPEG decoder has work."""
    y, x = np.mgrid[0:h, 0:w]
    waves = [np.sin(x * rng.uniform(0.01, 0.5) + y * rng.uniform(0.01, 0.5) + rng.uniform(0, 6)) for _ in range(channels)]
    noise = rng.normal(0, 20, (h, w, channels))
    pixels = np.clip(128 + 110 * np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)
    return pixels[..., 0] if channels == 1 else pixels


def mosaic(rng, w, h, mode):
    """A picture of a mode of one byte a channel."""
    return Image.frombytes(mode, (w, h), picture(rng, w, h, len(Image.new(mode, (1, 1)).getbands())).tobytes())


def turned(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return exif


def sizes_of(path):
    """To which sizes a picture is brought: the one that its name ends with, all of them, or a few."""
    if "-to-" in path:
        return [tuple(map(int, path.split("-to-")[1].split(".")[0].split("x")))]
    if "53x31" in path:
        return [(7, 7), (10, 10), (12, 12), (96, 96), (224, 224), (299, 299), (53, 7), (7, 31), (1, 1)]
    return [(224, 224), (299, 299)] if "97x230" in path else [(7, 7)]


def main():
    if make is None:
        return [describe(p, [(224, 224), (299, 299)], [(7, 7)]) for p in sys.argv[1:]]
    paths = []

    def path(name):
        paths.append(os.path.join(sys.argv[1], name))
        return paths[-1]

    make(np.random.default_rng(7), path)
    return [describe(p, sizes_of(p), sizes_of(p)) for p in paths]
