"""Layers as public code writes them: graphs, labels, states, images behind a ReLU, adapters, masks, unnamed widths."""

import dataclasses
import math

import pytest
import torch
from torch import nn
from torch.nn import functional

from initcheck.contract.profile import PROFILES
from initcheck.layers.fans import structure_of
from initcheck.layers.recognition import layer_initializer


def structure(cls):
    sampler = layer_initializer(cls, cls.__name__, {}).sampler
    small = tuple(s for s in sampler.sizes if s.probe or max(s.inputs, s.outputs) <= 32)
    return structure_of(dataclasses.replace(sampler, sizes=small))


def fans_of(found, weight):
    """(inputs, outputs) of how the layer was built, and the fans of a weight there."""
    return {(p.size.inputs, p.size.outputs): p.fans for p in found.parts if p.weight == weight}


def drawn(*shape):
    return nn.Parameter(torch.randn(*shape) / math.sqrt(shape[-1]))


class Graph(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = drawn(in_features, out_features)

    def forward(self, x, adj):
        return torch.spmm(adj, torch.mm(x, self.weight))


class Attending(nn.Module):
    """The neighbours under a name that says nothing, and two weights: what they give together hangs on the graph."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.own, self.others = drawn(in_features, out_features), drawn(in_features, out_features)

    def forward(self, h, g):
        return h @ self.own + functional.normalize(g, p=1, dim=1) @ h @ self.others


class Edges(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.lin = nn.Linear(in_channels, out_channels)

    def forward(self, x, edge_index):
        source, target = edge_index
        return torch.zeros(len(x), self.lin.out_features).index_add(0, target, self.lin(x)[source])


@pytest.mark.parametrize(("cls", "weight"), [(Graph, "weight"), (Attending, "own"), (Edges, "lin.weight")])
def test_a_layer_of_a_graph_is_fed_nodes_that_are_their_own_neighbours(cls, weight):
    found = structure(cls)
    assert fans_of(found, weight)[32, 8] == (32, 8)
    assert not found.wholes
    assert any("how many neighbours are summed" in note for note in found.notes)


class Margin(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = drawn(out_features, in_features)

    def forward(self, x, label):
        cosine = functional.linear(functional.normalize(x), functional.normalize(self.weight))
        return cosine - 0.5 * functional.one_hot(label, cosine.shape[1])


class Centres(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.centres = drawn(out_features, in_features)

    def forward(self, x):
        return torch.exp(-(torch.cdist(x, self.centres) ** 2))


@pytest.mark.parametrize("cls", [Margin, Centres])
def test_no_scale_is_asked_of_directions_and_centres(cls):
    initializer = layer_initializer(cls, cls.__name__, {})
    subject = initializer.subject(initializer, PROFILES["quick"], 0)
    from initcheck.claims.registry import find

    said = subject.not_asked(find("output-variance-near-one"))
    assert "no sum of weights times inputs was found" in said
    assert subject.not_asked(find("units-differ")) is None
    assert subject.structure.parts


class Step(nn.Module):
    """A cell that is not called one."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.w, self.u = drawn(hidden_size, input_size), drawn(hidden_size, hidden_size)

    def forward(self, x, h):
        return torch.tanh(x @ self.w.T + h @ self.u.T)


def test_a_cell_is_told_by_the_state_that_it_takes():
    found = structure(Step)
    assert fans_of(found, "w")[32, 8] == (32, 8)
    assert fans_of(found, "u")[32, 8] == (8, 8)


class Behind(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=1)

    def forward(self, x):
        return torch.relu(self.conv(x))


class Unpadded(Behind):
    def __init__(self, in_channels, out_channels):
        super().__init__(in_channels, out_channels)
        self.conv.padding = (0, 0)


class Coordinates(Behind):
    def __init__(self, in_channels, out_channels):
        super().__init__(in_channels + 2, out_channels)

    def forward(self, x):
        rows = torch.linspace(-1, 1, x.shape[2])[None, None, :, None].expand(len(x), 1, *x.shape[2:])
        return super().forward(torch.cat([x, rows, rows], 1))


@pytest.mark.parametrize(("cls", "inputs"), [(Behind, 32), (Unpadded, 32), (Coordinates, 34)])
def test_the_positions_of_a_kernel_behind_a_relu_are_counted(cls, inputs):
    assert fans_of(structure(cls), "conv.weight")[32, 8] == (9 * inputs, 72)


class Inverted(nn.Module):
    """Pointwise, depthwise, pointwise; the name of one width says nothing."""

    def __init__(self, inp, oup):
        super().__init__()
        self.a, self.c = nn.Conv2d(inp, 37, 1), nn.Conv2d(37, oup, 1)
        self.b = nn.Conv2d(37, 37, 3, padding=1, groups=37)

    def forward(self, x):
        return self.c(functional.relu6(self.b(functional.relu6(self.a(x)))))


def test_each_convolution_of_a_block_has_fans_of_its_own():
    found = structure(Inverted)
    assert fans_of(found, "a.weight")[32, 8] == (32, 37)
    assert fans_of(found, "b.weight")[32, 8][0] == 9
    assert fans_of(found, "c.weight")[32, 8] == (37, 8)


class Excite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.down, self.up = nn.Linear(channels, 7), nn.Linear(7, channels)

    def forward(self, x):
        return x * torch.sigmoid(self.up(torch.relu(self.down(x.mean((2, 3))))))[:, :, None, None]


class Highway(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.h, self.t = nn.Linear(size, size), nn.Linear(size, size)

    def forward(self, x):
        t = torch.sigmoid(self.t(x))
        return t * torch.relu(self.h(x)) + (1 - t) * x


class C1C2(nn.Linear):
    def __init__(self, c1, c2):
        super().__init__(c1, c2)


def test_matrices_that_weigh_the_channels_of_an_image_are_fed_one():
    assert fans_of(structure(Excite), "down.weight")[16, 16] == (16, 7)


def test_widths_whose_names_say_nothing_are_tried_in_their_order():
    assert fans_of(structure(Highway), "h.weight")[16, 16] == (16, 16)
    assert fans_of(structure(C1C2), "weight")[32, 8] == (32, 8)

    class Depth(Highway):
        def __init__(self, depth):
            super().__init__(8)

    with pytest.raises(Exception, match="cannot be built from widths alone"):
        layer_initializer(Depth, "Depth", {})


class Adapted(nn.Module):
    """LoRA in the columns' order, beside a matrix; ``start`` fills its second factor."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.kernel = drawn(in_features, out_features)
        self.a, self.b = drawn(in_features, 4), nn.Parameter(torch.zeros(4, out_features))

    def forward(self, x):
        return x @ self.kernel + x @ self.a @ self.b


class Twice(Adapted):
    """Both factors are zero: neither ever moves."""

    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features)
        nn.init.zeros_(self.a)


class Branch(nn.Module):
    """A branch that starts at nothing, behind a ReLU that shuts half of all units for any one input."""

    def __init__(self, dim):
        super().__init__()
        self.up, self.down = drawn(4 * dim, dim), nn.Parameter(torch.zeros(dim, 4 * dim))

    def forward(self, x):
        return x + torch.relu(x @ self.up.T) @ self.down.T


class Copied(Branch):
    """Its units are one unit, so that the zeros behind them get one gradient."""

    def __init__(self, dim):
        super().__init__(dim)
        self.up.data[:] = self.up.data[:1].clone()


def test_zeros_that_the_first_step_tells_apart_are_no_fault_and_dead_ones_are():
    assert {p.weight for p in structure(Adapted).parts} == {"kernel", "a"}
    assert {p.weight for p in structure(Twice).parts} == {"kernel", "a", "b"}
    assert {p.weight for p in structure(Branch).parts} == {"up"}
    assert {p.weight for p in structure(Copied).parts} == {"up", "down"}


def test_factors_that_lie_with_their_inputs_first_have_their_units_in_columns():
    assert fans_of(structure(Adapted), "a")[32, 8] == (32, 4)


class Masked(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = drawn(out_features, in_features)
        self.mask = nn.Parameter((torch.arange(out_features)[:, None] > torch.arange(in_features)).float())

    def forward(self, x):
        return functional.linear(x, self.weight * self.mask)


class Magnitudes(nn.Module):
    """DoRA: the magnitudes stand behind the directions."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = drawn(out_features, in_features)
        self.m = nn.Parameter(self.weight.detach().norm(dim=1, keepdim=True))

    def forward(self, x):
        return functional.linear(x, self.m * functional.normalize(self.weight))


def test_masks_and_magnitudes_are_no_weights_wherever_they_stand():
    assert {p.weight for p in structure(Masked).parts} == {"weight"}
    assert {p.weight for p in structure(Magnitudes).parts} == {"weight"}


class Shut(Masked):
    """The same mask by a question; ``where`` has no gradient in it."""

    def forward(self, x):
        return functional.linear(x, torch.where(self.mask > 0.5, self.weight, torch.zeros(())))


class Binary(Masked):
    """Zeros and ones in the shape of another weight that are multiplied by what it puts out."""

    def __init__(self, dim):
        super().__init__(dim, dim)

    def forward(self, x):
        return functional.linear(torch.relu(functional.linear(x, self.weight)), self.mask)


def test_zeros_and_ones_are_a_mask_where_they_shut_the_weight():
    assert {p.weight for p in structure(Shut).parts} == {"weight"}
    assert {p.weight for p in structure(Binary).parts} == {"weight", "mask"}


class Squared(nn.Module):
    """What is multiplied is computed of the weights, so that gradients do not tell; a scale is due all the same."""

    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = drawn(out_features, in_features)

    def forward(self, x):
        return torch.relu(functional.linear(x, self.weight * torch.tanh(self.weight)))


def test_no_scale_is_waived_of_what_inputs_are_multiplied_by():
    with pytest.raises(Exception, match="cannot be judged as a layer: weight was not judged: its gradients do not"):
        structure(Squared)


class Standardised(nn.Conv2d):
    def __init__(self, in_channels, out_channels, kernel_size=3):
        super().__init__(in_channels, out_channels, kernel_size, padding=1)

    def forward(self, x):
        var, mean = torch.var_mean(self.weight, (1, 2, 3), keepdim=True)
        return functional.conv2d(x, (self.weight - mean) / torch.sqrt(var * self.weight[0].numel()), padding=1)


def test_a_kernel_that_makes_nothing_of_ones_is_run():
    assert structure(Standardised).wholes


class Routed(nn.Module):
    """The two best of four experts: which ones a token meets is no sum over experts."""

    def __init__(self, dim):
        super().__init__()
        self.gate, self.w1, self.w2 = drawn(4, dim), drawn(4, dim, 37), drawn(4, 37, dim)

    def forward(self, x):
        p, chosen = (x @ self.gate.T).softmax(-1).topk(2)
        full = torch.zeros(len(x), 4).scatter(-1, chosen, p)
        h = torch.relu(torch.einsum("bd,edh->beh", x, self.w1))
        return torch.einsum("beh,ehd,be->bd", h, self.w2, full)


def test_experts_are_not_summed_over():
    found = structure(Routed)
    assert fans_of(found, "w1")[16, 16][0] == 16
    assert "w2" in " ".join(found.notes) or fans_of(found, "w2")[16, 16][0] == 37
    assert not any(p.summed == (0,) for p in found.parts)


def test_what_puts_out_complex_numbers_is_refused_in_words():
    class Complex(nn.Module):
        def __init__(self, in_features, out_features):
            super().__init__()
            self.re, self.im = drawn(out_features, in_features), drawn(out_features, in_features)

        def forward(self, x):
            return functional.linear(x.to(torch.cfloat), torch.complex(self.re, self.im))

    with pytest.raises(Exception, match="no real numbers"):
        structure(Complex)
