"""Makes a network of timm's that package nn does not have, a RegNet, in TorchScript, trains it for three steps in PyTorch,
and saves what must be found again. A file of its own, because torch.jit reads the source of what it compiles."""

import sys, timm, torch
from torch import nn
import torch.nn.functional as F
from safetensors.torch import save_file

class WithFeatures(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = timm.create_model("regnetx_002", num_classes=2, scriptable=True)
    def forward(self, x):
        features = self.model.forward_features(x)
        return self.model.forward_head(features), features

torch.manual_seed(3)
torch.set_num_threads(2)
net = WithFeatures().double()
out = sys.argv[1]
torch.jit.script(net).save(out + "/net.pt")
torch.jit.script(net.model).save(out + "/logits.pt")
x, y = torch.randn(4, 3, 64, 64, dtype=torch.float64), torch.tensor([0, 1, 0, 1])
human = torch.rand(4, 2, 2, dtype=torch.float64)
unit = lambda m: (m - m.amin((1, 2), keepdim=True)) / (m.amax((1, 2), keepdim=True) - m.amin((1, 2), keepdim=True))
found = {}
net.eval()
with torch.no_grad():
    found["eval.logits"], found["eval.features"] = net(x)
net.train()
solver = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9, weight_decay=1e-6)
for step in range(3):
    logits, features = net(x)
    cam = torch.einsum("bchw,bc->bhw", features, net.model.head.fc.weight[logits.argmax(1)])
    total = 0.5 * F.cross_entropy(logits, y) + 0.5 * ((unit(cam) - unit(human)) ** 2).mean()
    solver.zero_grad()
    total.backward()
    solver.step()
for k, v in net.state_dict().items():
    found["after." + k] = v
save_file({"images": x, "human": human}, out + "/given.safetensors")
save_file({k: v.detach().contiguous() for k, v in found.items()}, out + "/found.safetensors")
