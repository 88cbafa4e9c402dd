"""Trains a network for three steps in PyTorch and saves, in safetensors: the initial state, the images and human maps,
and all that the Go side must find again. Weights are PyTorch's initialisation; running statistics, norms and layer scales
are moved off their start so that they matter; there is no dropout. Run after networks.py."""

import copy
import json
import sys

from safetensors.torch import save_file

c = json.loads(sys.argv[1])
torch.manual_seed(11)
torch.set_num_threads(2)
layout = torch.channels_last if c["channels_last"] else torch.contiguous_format
net = build(c["network"]).double().to(memory_format=layout)
with torch.no_grad():
    for m in net.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.running_mean.normal_(0, 0.2)
            m.running_var.uniform_(0.5, 1.5)
        if isinstance(m, (nn.BatchNorm2d, nn.LayerNorm)):
            m.weight.uniform_(0.5, 1.5)
            m.bias.normal_(0, 0.2)
        if isinstance(m, (nn.Dropout, torchvision.ops.StochasticDepth)):
            m.p = 0.0
        if hasattr(m, "layer_scale"):
            m.layer_scale.uniform_(0.5, 1.5)
start = {k: v.clone() for k, v in net.state_dict().items()}
x = torch.randn(c["batch"], 3, c["side"], c["side"], dtype=torch.float64).contiguous(memory_format=layout)
y = torch.arange(c["batch"]) % 2
unit = lambda m: (m - m.amin((1, 2), keepdim=True)) / (m.amax((1, 2), keepdim=True) - m.amin((1, 2), keepdim=True))


class Taps:
    """The outputs of the tapped modules in the latest pass, as they were before an operation in place."""

    def __init__(self, net):
        self.net, self.kept = net, {}
        for tap in ("pooled", "authors"):
            # What DenseNet pools has no module of its own in torchvision.
            name = "features" if c[tap] == "relu5" else c[tap]
            net.get_submodule(name).register_forward_hook(self.keep(tap))

    def keep(self, tap):
        def hook(module, _inputs, out):
            out = out.clone()
            if c[tap] == "relu5":
                out = out.relu()
            if isinstance(module, nn.Linear):  # within a ConvNeXt block: channels are last
                out = out.permute(0, 3, 1, 2)
            self.kept[tap] = out

        return hook

    def cam(self, tap, chosen):
        return torch.einsum("bchw,bc->bhw", self.kept[tap], self.net.get_submodule(c["head"]).weight[chosen])


def losses(net, taps, x):
    out = net(x)
    logits, aux = out if isinstance(out, tuple) else (out, None)
    first = dict(taps.kept)
    if c["twice"]:  # as the authors do: the CAM's features come from a second pass of the same batch
        taps.kept["authors"] = net.features(x)
    chosen = logits.argmax(1) if c["class"] == "predicted" else y
    terms = [F.cross_entropy(logits, y), ((unit(taps.cam("authors", chosen)) - unit(human.to(x.dtype))) ** 2).mean()]
    if aux is not None:
        terms.append(F.cross_entropy(aux, y))
    total = sum(w * t for w, t in zip((0.5, 0.5, 0.4), terms))
    return logits, first, terms + [total]


def look(net, taps, x, found, prefix):
    net.eval()
    with torch.no_grad():
        logits = found[prefix + "eval.logits"] = net(x)
        for tap in ("pooled", "authors"):
            found[prefix + "eval." + tap] = taps.kept[tap]
            found[prefix + "eval.cam." + tap] = taps.cam(tap, logits.argmax(1))
    net.train()


taps, found = Taps(net), {}
look(net, taps, x, found, "")
human = torch.rand(c["batch"], *taps.kept["authors"].shape[2:], dtype=torch.float64)

narrow = build(c["network"]).to(memory_format=layout)
narrow.load_state_dict(start)
for m in narrow.modules():
    if isinstance(m, (nn.Dropout, torchvision.ops.StochasticDepth)):
        m.p = 0.0
narrow_taps = Taps(narrow)
look(narrow, narrow_taps, x.float(), found, "float32.")
logits, _, terms = losses(narrow, narrow_taps, x.float())
terms[-1].backward()
found["float32.train.logits"] = logits
for k, p in narrow.named_parameters():
    found["float32.gradient." + k] = p.grad

solver = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9, weight_decay=1e-6)
printed = []
for step in range(3):
    logits, first, terms = losses(net, taps, x)
    solver.zero_grad()
    terms[-1].backward()
    if step == 0:
        found["train.logits"], found["train.pooled"], found["train.authors"] = logits, first["pooled"], first["authors"]
        for k, p in net.named_parameters():
            found["gradient." + k] = p.grad
    solver.step()
    printed.append([t.item() for t in terms])
for k, v in net.state_dict().items():
    found["after." + k] = v
for k, p in net.named_parameters():
    found["momentum." + k] = solver.state[p]["momentum_buffer"]
for part, tensors in (("start", start), ("given", {"images": x, "human": human}), ("found", found)):
    save_file({k: v.detach().clone(memory_format=torch.contiguous_format) for k, v in tensors.items()}, f"{sys.argv[2]}/{part}.safetensors")
print(json.dumps(printed))
