"""Writes ssim.json: SSIM of random maps by scikit-image. pip install scikit-image==0.26.0 numpy==2.4.6; python ssim.py > ssim.json"""
import json
import numpy as np
from skimage.metrics import structural_similarity

rng = np.random.default_rng(5)
cases = []
for h, w in [(3, 3), (4, 6), (5, 5), (7, 7), (8, 8), (10, 10), (12, 12), (14, 9)]:
    side = min(7, h, w)
    side -= 1 - side % 2
    for _ in range(3):
        a = rng.random((h, w)).round(3)
        b = (0.7 * a + 0.3 * rng.random((h, w))).round(3)
        cases.append({"a": a.tolist(), "b": b.tolist(),
                      "ssim": structural_similarity(a, b, data_range=1, win_size=side)})
print(json.dumps({"about": "skimage.metrics.structural_similarity of scikit-image 0.26.0, data_range 1, the largest odd window up to 7", "cases": cases}, indent=None))
