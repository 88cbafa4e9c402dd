"""RISE as its paper says it (Petsiuk et al., BMVC 2018, arXiv:1806.07421, section 3), one mask at a time in NumPy around a
network of PyTorch. Run after networks.py. Prints the map of one image, not scaled."""

import json
import sys

import numpy as np

c = json.loads(sys.argv[1])
net = build("resnet_small").eval()
net.load_state_dict(torch.load(c["weights"], weights_only=True)["state_dict"])
side, s = c["side"], c["cells"]
pixels = np.array(c["image"], np.float32).reshape(side, side, 3) / 255
image = ((pixels - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1)

# The same chance: PyTorch's generator of that seed.
random = torch.Generator().manual_seed(c["seed"])
grids = (torch.rand(c["masks"], s, s, generator=random) < c["keep"]).numpy().astype(np.float64)
cell = -(-side // s)
shifts = torch.randint(0, cell, (c["masks"], 2), generator=random).numpy()


def enlarge(grid, size):
    """Bilinear between the centres of the cells, constant beyond the outer ones."""
    at = np.clip((np.arange(size) + 0.5) * s / size - 0.5, 0, s - 1)
    low = np.floor(at).astype(int)
    high, part = np.minimum(low + 1, s - 1), at - low
    rows = grid[low] * (1 - part)[:, None] + grid[high] * part[:, None]
    return rows[:, low] * (1 - part) + rows[:, high] * part


total = np.zeros((side, side))
for grid, (down, right) in zip(grids, shifts):
    mask = enlarge(grid, (s + 1) * cell)[down : down + side, right : right + side]
    with torch.no_grad():
        score = net(torch.tensor(image * mask, dtype=torch.float32)[None]).softmax(1)[0, c["class"]].item()
    total += score * mask
print(json.dumps((total / (len(grids) * c["keep"])).ravel().tolist()))
