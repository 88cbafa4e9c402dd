"""Pretrains resnet_small as a saliency autoencoder in PyTorch, step by step, from given weights on given batches, in float64.
Run after networks.py."""

import json
import sys

from safetensors.torch import load_file, save_file

c = json.load(open(sys.argv[1]))
torch.set_num_threads(1)
side = c["side"]


class Level(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, padding=1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, padding=1, bias=False), nn.BatchNorm2d(o)

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


class Autoencoder(nn.Module):
    """The classifier's own modules, and a U-Net's decoder over its three scales."""

    def __init__(self, skips):
        super().__init__()
        for name, module in build("resnet_small").named_children():
            if name != "fc":
                setattr(self, name, module)
        self.skips = skips
        more = [16, 16, 0] if skips else [0, 0, 0]
        self.decoder = nn.Module()
        for level, (i, o) in enumerate([(64, 64), (64, 32), (32, 16)]):
            setattr(self.decoder, str(level), Level(i + more[level], o))
        self.decoder.out = nn.Conv2d(16, 1, 3, padding=1)

    def forward(self, x):
        fine = F.relu(self.bn1(self.conv1(x)))
        middle = self.layer1(F.max_pool2d(fine, 3, 2, 1))
        y = self.layer3(self.layer2(middle))
        for level, skip in enumerate([middle, fine, x]):
            y = F.interpolate(y, size=skip.shape[2:], mode="nearest")
            if self.skips and level < 2:
                y = torch.cat([y, skip], 1)
            y = getattr(self.decoder, str(level))(y)
        return torch.sigmoid(self.decoder.out(y))[:, 0]


net = Autoencoder(c["skips"]).double()
net.load_state_dict(load_file(c["start"]))
adam = torch.optim.Adam(net.parameters(), lr=c["lr"])
mean = torch.tensor([0.485, 0.456, 0.406], dtype=torch.float64)
std = torch.tensor([0.229, 0.224, 0.225], dtype=torch.float64)
losses = []
for batch in c["batches"]:
    pixels = torch.tensor(batch["images"], dtype=torch.float64).view(-1, side, side, 3)
    x = ((pixels / 255 - mean) / std).permute(0, 3, 1, 2)
    maps = (torch.tensor(batch["maps"], dtype=torch.float32) / 255).view(-1, side, side)
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    loss = F.mse_loss(net(x), ((maps - low) / (high - low)).double())
    adam.zero_grad()
    loss.backward()
    adam.step()
    losses.append(loss.item())
save_file({k: v.contiguous() for k, v in net.state_dict().items()}, c["end"])
print(json.dumps(losses))
