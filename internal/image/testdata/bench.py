"""Writes photo.jpg and photo.png (1024 x 1024, simulated) to a folder, then does what each line it reads says, "photo.png 10"
(decode and resize it so often) or "resize 10", and prints the seconds that it took."""
import os, sys, time
import numpy as np
from PIL import Image

rng = np.random.default_rng(1)
y, x = np.mgrid[0:1024, 0:1024]
waves = [np.sin(x * a + y * b) for a, b in rng.uniform(0.005, 0.08, (3, 2))]
pixels = np.clip(128 + 90 * np.stack(waves, -1) + rng.normal(0, 6, (1024, 1024, 3)), 0, 255).astype(np.uint8)
image = Image.fromarray(pixels)
image.save(os.path.join(sys.argv[1], "photo.jpg"), quality=90)
image.save(os.path.join(sys.argv[1], "photo.png"))
print(0, flush=True)

for line in sys.stdin:
    name, times = line.split()
    start = time.perf_counter()
    for _ in range(int(times)):
        photo = image if name == "resize" else Image.open(os.path.join(sys.argv[1], name)).convert("RGB")
        photo.resize((224, 224), Image.Resampling.BILINEAR)
    print(time.perf_counter() - start, flush=True)
