import pytest
import torch
from torch import Tensor

from gpt2.linear import FEW_ROWS, PIECES, Linear


def product(layer: Linear, x: Tensor) -> Tensor:
    """The definition, in double precision."""
    y = x.detach().double() @ layer.weight.detach().double().t()
    return y if layer.bias is None else y + layer.bias.detach().double()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("out", [PIECES, 6 * PIECES, 6 * PIECES + 1])
@pytest.mark.parametrize(
    "shape", [(24,), (1, 24), (3, 24), (2, 3, 24), (FEW_ROWS, 24), (FEW_ROWS + 1, 24), (0, 24)], ids=str
)
def test_with_or_without_a_gradient_a_layer_is_its_definition(bias: bool, out: int, shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer, x = Linear(24, out, bias=bias), torch.randn(shape)
    for y in (layer(x), torch.no_grad()(layer)(x)):
        assert y.shape == (*shape[:-1], out)
        torch.testing.assert_close(y.double(), product(layer, x), atol=1e-5, rtol=1e-5)


def test_rows_that_do_not_lie_side_by_side_in_memory_are_multiplied_alike() -> None:
    torch.manual_seed(1)
    layer, x = Linear(24, 32), torch.randn(24, 3, 2).permute(2, 1, 0)  # (2, 3, 24)
    with torch.no_grad():
        torch.testing.assert_close(layer(x).double(), product(layer, x), atol=1e-5, rtol=1e-5)


def test_a_layer_learns_as_ever() -> None:
    torch.manual_seed(2)
    layer, x = Linear(24, 32), torch.randn(2, 24, requires_grad=True)
    layer(x).square().sum().backward()
    assert layer.weight.grad is not None and x.grad is not None
    y = product(layer, x)
    torch.testing.assert_close(layer.weight.grad.double(), 2 * y.t() @ x.detach().double(), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(x.grad.double(), 2 * y @ layer.weight.detach().double(), atol=1e-4, rtol=1e-4)
