"""The networks of package nn as PyTorch users have them: torchvision's, timm's Xception, and the quick start's own."""

import torch
import torch.nn.functional as F
import torchvision
from torch import nn


def build(name, classes=2):
    """The network with random weights, under the parameter names that package nn uses."""
    if name == "resnet_small":
        return Small(classes)
    if name == "xception":
        import timm

        net = timm.create_model("legacy_xception", num_classes=classes)
        net.last_linear = net.fc  # the name in Cadene's code and in the authors' files
        net.fc = Through(net)
        return net
    if name.startswith("inception"):
        return torchvision.models.inception_v3(num_classes=classes, aux_logits=name.endswith("_aux"), transform_input=True, init_weights=True)
    return getattr(torchvision.models, name)(num_classes=classes)


class Through(nn.Module):
    """Calls the head where it lies now; it has no parameters of its own."""

    def __init__(self, net):
        super().__init__()
        self.net = [net]

    def forward(self, x):
        return self.net[0].last_linear(x)


class Narrow(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.downsample(x))


class Small(nn.Module):
    def __init__(self, classes):
        super().__init__()
        from torchvision.models.resnet import BasicBlock

        self.conv1 = nn.Conv2d(3, 16, 5, 2, 2, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        down = nn.Sequential(nn.Conv2d(16, 32, 1, 2, bias=False), nn.BatchNorm2d(32))
        self.layer1 = nn.Sequential(BasicBlock(16, 16))
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2, down))
        self.layer3 = nn.Sequential(Narrow(32, 64))
        self.fc = nn.Linear(64, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        return self.fc(self.layer3(self.layer2(self.layer1(x))).mean((2, 3)))
