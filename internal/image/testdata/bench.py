"""Writes photo.jpg and photo.png (1024 x 1024, simulated) to a folder and prints the median CPU seconds that Pillow needs."""
import json, os, sys, time
import numpy as np
from PIL import Image

rng = np.random.default_rng(1)
y, x = np.mgrid[0:1024, 0:1024]
waves = [np.sin(x * a + y * b) for a, b in rng.uniform(0.005, 0.08, (3, 2))]
pixels = np.clip(128 + 90 * np.stack(waves, -1) + rng.normal(0, 6, (1024, 1024, 3)), 0, 255).astype(np.uint8)
image = Image.fromarray(pixels)
image.save(os.path.join(sys.argv[1], "photo.jpg"), quality=90)
image.save(os.path.join(sys.argv[1], "photo.png"))


def median(work, times=15):
    spent = []
    for _ in range(times):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return sorted(spent)[times // 2]


def load(name):
    return Image.open(os.path.join(sys.argv[1], name)).convert("RGB")


seconds = {name: median(lambda: load(name).resize((224, 224), Image.Resampling.BILINEAR)) for name in ("photo.jpg", "photo.png")}
seconds["resize"] = median(lambda: image.resize((224, 224), Image.Resampling.BILINEAR))
print(json.dumps(seconds))
