"""Networks under the names of their authors' code, written from the papers' definitions.

Nothing of that code runs here. Modules are registered in another order than they are executed, as
in files of weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional


def conv(
    inp: int, out: int, kernel: int = 1, stride: int = 1, rate: int = 1, groups: int = 1
) -> nn.Conv2d:
    padding = rate * (kernel // 2)
    return nn.Conv2d(inp, out, kernel, stride, padding, rate, groups, bias=False)


norm = nn.BatchNorm2d


class ConvNorm(nn.Module):
    def __init__(self, *args: int, **kwargs: int) -> None:
        super().__init__()
        layer = conv(*args, **kwargs)
        self.bn = norm(layer.out_channels)
        self.conv = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.bn(self.conv(x))


# --- DRN (fyu/drn) -------------------------------------------------------------------------


class DrnUnit(nn.Module):
    def __init__(
        self, inp: int, width: int, stride: int, rate: int, *, expand: int, residual: bool
    ) -> None:
        super().__init__()
        out = width * expand
        # Also where it is not residual: DRN-C-58's dead weights.
        changed = stride > 1 or inp != out
        projection = nn.Sequential(conv(inp, out, 1, stride), norm(out))
        self.downsample = projection if changed else None
        self.residual = residual
        spatial = partial(conv, kernel=3, rate=rate)
        shapes = [(inp, width), (width, width), (width, out)]
        layers = (
            [spatial(inp, width, stride=stride), spatial(width, out)]
            if expand == 1
            else [conv(*shapes[0]), spatial(*shapes[1], stride=stride), conv(*shapes[2])]
        )
        self.depth = len(layers)
        for index in reversed(range(self.depth)):
            self.add_module(f"bn{index + 1}", norm(layers[index].out_channels))
            self.add_module(f"conv{index + 1}", layers[index])

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for index in range(1, self.depth + 1):
            y = getattr(self, f"bn{index}")(getattr(self, f"conv{index}")(y))
            y = functional.relu(y) if index < self.depth else y
        if self.residual:
            y = y + (x if self.downsample is None else self.downsample(x))
        return functional.relu(y)


def drn_plain(inp: int, width: int, depth: int, stride: int, rate: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for index in range(depth):
        here = conv(width if index else inp, width, 3, 1 if index else stride, rate)
        layers += [here, norm(width), nn.ReLU()]
    return nn.Sequential(*layers)


class Drn(nn.Module):
    WIDTHS = (16, 32, 64, 128, 256, 512, 512, 512)
    STRIDES = (1, 2, 2, 2, 1, 1, 1, 1)
    RATES = (1, 1, 1, 1, 2, 4, 2, 1)

    def __init__(self, kind: str, depths: Sequence[int], *, expand: int) -> None:
        super().__init__()
        channels = 16
        for level, (width, depth, stride, rate) in enumerate(
            zip(self.WIDTHS, depths, self.STRIDES, self.RATES, strict=True), start=1
        ):
            inner = 3 <= level <= 6
            if not inner and kind == "D":
                layers = drn_plain(channels, width, depth, stride, rate)
                channels = width
            else:
                wide = expand if inner else 1
                units = []
                for index in range(depth):
                    step = 1 if index else stride
                    unit = DrnUnit(channels, width, step, rate, expand=wide, residual=level < 7)
                    units.append(unit)
                    channels = width * wide
                layers = nn.Sequential(*units)
            self.add_module(f"layer{level}", layers)
        self.fc = nn.Conv2d(512, 1000, 1)
        if kind == "D":
            self.layer0 = nn.Sequential(conv(3, 16, 7), norm(16), nn.ReLU())
        else:
            self.bn1 = norm(16)
            self.conv1 = conv(3, 16, 7)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer0(x) if hasattr(self, "layer0") else functional.relu(self.bn1(self.conv1(x)))
        for level in range(1, 9):
            x = getattr(self, f"layer{level}")(x)
        return self.fc(x.mean((2, 3), keepdim=True)).flatten(1)


# --- PyramidNet (dyhan0920/PyramidNet-PyTorch) ---------------------------------------------


class PyramidUnit(nn.Module):
    def __init__(self, inp: int, width: int, stride: int, *, bottleneck: bool) -> None:
        super().__init__()
        self.stride = stride
        layers = (
            [conv(inp, width), conv(width, width, 3, stride), conv(width, 4 * width)]
            if bottleneck
            else [conv(inp, width, 3, stride), conv(width, width, 3)]
        )
        self.depth = len(layers)
        for index, layer in enumerate(layers, start=1):
            self.add_module(f"conv{index}", layer)
        channels = [inp, *(layer.out_channels for layer in layers)]
        for index, count in enumerate(channels, start=1):
            self.add_module(f"bn{index}", norm(count))

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv1(self.bn1(x))
        for index in range(2, self.depth + 1):
            y = getattr(self, f"conv{index}")(functional.relu(getattr(self, f"bn{index}")(y)))
        y = getattr(self, f"bn{self.depth + 1}")(y)
        if self.stride > 1:
            x = functional.avg_pool2d(x, 2, 2, ceil_mode=True)
        return y + functional.pad(x, (0, 0, 0, 0, 0, y.shape[1] - x.shape[1]))


class PyramidNet(nn.Module):
    def __init__(
        self, depths: Sequence[int], alpha: float, *, bottleneck: bool, imagenet: bool
    ) -> None:
        super().__init__()
        self.imagenet = imagenet
        self.stages = len(depths)
        start = 64 if imagenet else 16
        self.fc = nn.Linear(
            (start + int(alpha)) * (4 if bottleneck else 1), 1000 if imagenet else 10
        )
        self.bn_final = norm(self.fc.in_features)
        self.bn1 = norm(start)
        self.conv1 = conv(3, start, 7, 2) if imagenet else conv(3, start, 3)
        width, channels = float(start), start
        for stage, depth in enumerate(depths):
            units = []
            for index in range(depth):
                width += alpha / sum(depths)
                stride = 2 if stage and not index else 1
                units.append(PyramidUnit(channels, round(width), stride, bottleneck=bottleneck))
                channels = round(width) * (4 if bottleneck else 1)
            self.add_module(f"layer{stage + 1}", nn.Sequential(*units))

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn1(self.conv1(x))
        if self.imagenet:
            x = functional.max_pool2d(functional.relu(x), 3, 2, 1)
        for stage in range(1, self.stages + 1):
            x = getattr(self, f"layer{stage}")(x)
        return self.fc(functional.relu(self.bn_final(x)).mean((2, 3)))


# --- RepVGG (DingXiaoH/RepVGG) -------------------------------------------------------------


class RepVggBlock(nn.Module):
    def __init__(self, inp: int, out: int, stride: int, groups: int) -> None:
        super().__init__()
        self.rbr_identity = norm(inp) if inp == out and stride == 1 else None
        self.rbr_dense = ConvNorm(inp, out, 3, stride, groups=groups)
        self.rbr_1x1 = ConvNorm(inp, out, 1, stride, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        return functional.relu(y if self.rbr_identity is None else y + self.rbr_identity(x))


class RepVgg(nn.Module):
    def __init__(self, depths: Sequence[int], widths: Sequence[int], *, groups: int = 1) -> None:
        super().__init__()
        self.linear = nn.Linear(widths[-1], 1000)
        channels, number = min(64, widths[0]), 1
        self.stage0 = RepVggBlock(3, channels, 2, 1)
        for stage, (depth, width) in enumerate(zip(depths, widths, strict=True), start=1):
            blocks = []
            for index in range(depth):
                here = groups if number % 2 == 0 else 1
                blocks.append(RepVggBlock(channels, width, 1 if index else 2, here))
                channels, number = width, number + 1
            self.add_module(f"stage{stage}", nn.Sequential(*blocks))

    def forward(self, x: Tensor) -> Tensor:
        for stage in range(5):
            x = getattr(self, f"stage{stage}")(x)
        return self.linear(x.mean((2, 3)))


# --- ParNet (imankgoyal/NonDeepNetworks) ---------------------------------------------------


def interleave(x: Tensor, y: Tensor) -> Tensor:
    return torch.stack([x, y], 2).flatten(1, 2)


class Gate(nn.Module):
    def __init__(self, inp: int, out: int, groups: int) -> None:
        super().__init__()
        self.cvsig = nn.Module()
        self.cvsig.conv = conv(inp, out, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(self.cvsig.conv(x.mean((2, 3), keepdim=True)))


class ParNetInner(nn.Module):
    def __init__(self, inp: int, out: int, stride: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.rbr_identity = norm(inp) if inp == out and stride == 1 else None
        self.rbr_dense = ConvNorm(inp, out, 3, stride, groups=groups)
        point = ConvNorm(inp, out, groups=groups)
        self.rbr_1x1 = nn.Sequential(nn.AvgPool2d(2), point) if stride > 1 else point
        self.se = Gate(inp, out, groups)

    def forward(self, x: Tensor) -> Tensor:
        y = self.rbr_dense(x) + self.rbr_1x1(x)
        if self.rbr_identity is None:
            y = y * 2 * self.se(x)
        else:
            same = self.rbr_identity(x)
            y = y + same * self.se(same)
        y = functional.silu(y)
        return interleave(*y.chunk(2, 1)) if self.groups == 2 else y


class ParNetBlock(nn.Module):
    def __init__(self, inp: int, out: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.block = ParNetInner(inp, out, stride, groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.block(x)


class TwoNorms(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.b1, self.b2 = norm(channels), norm(channels)

    def forward(self, maps: tuple[Tensor, Tensor]) -> Tensor:
        return interleave(self.b1(maps[0]), self.b2(maps[1]))


class ParNet(nn.Module):
    def __init__(self, widths: tuple[int, int, int], last: int) -> None:
        super().__init__()
        one, two, three = widths
        block, first = ParNetBlock, min(64, one)
        self.inits = nn.ModuleList(
            [
                nn.Sequential(block(3, first, 2), block(first, one, 2)),
                block(one, two, 2),
                block(two, three, 2),
            ]
        )
        self.streams = nn.ModuleList(
            nn.Sequential(*(block(width, width) for _ in range(depth)))
            for width, depth in zip(widths, (4, 5, 5), strict=True)
        )
        fuse = [TwoNorms(two), nn.Identity(), block(2 * two, three, 2, 2)]
        self.downsamples_2 = nn.ModuleList([block(one, two, 2), nn.Sequential(*fuse)])
        both = [TwoNorms(three), nn.Identity(), block(2 * three, three, 1, 2)]
        self.combine = nn.Sequential(*both, block(three, last, 2))
        self.head = nn.Module()
        self.head.fc = nn.Linear(last, 1000)

    def forward(self, x: Tensor) -> Tensor:
        maps = []
        for init, stream in zip(self.inits, self.streams, strict=True):
            x = init(x)
            maps.append(stream(x))
        y = self.downsamples_2[1]((maps[1], self.downsamples_2[0](maps[0])))
        return self.head.fc(self.combine((maps[2], y)).mean((2, 3)))
