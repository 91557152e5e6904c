"""One run in several processes, as `torchrun` starts them, without another loop.

A step is `accumulate` batches, whoever computes them: of W processes each takes every W-th, all walk through the
same stream of batches, and the sampler's position is the same number everywhere. So the update does not depend on W,
and a checkpoint can be continued by any number of processes. Gradients meet in one of two ways:

ddp     every process holds the whole model and optimiser; gradients are averaged while backward still runs
fsdp    every process holds 1/W of each parameter and of its moments, and the rest of a block only while it computes
        (torch's `fully_shard`, FSDP2); for models that do not fit
"""

import os
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor, nn

from gpt2.errors import ConfigError

Parallel = Literal["ddp", "fsdp"]
Model = TypeVar("Model", bound=nn.Module)
Batch = TypeVar("Batch")
T = TypeVar("T")

Loss: TypeAlias = Callable[[Model, Batch], tuple[Tensor, int]]
"""(model, batch) -> (summed loss as a scalar with a graph, weight)."""


@dataclass(frozen=True, kw_only=True)
class World:
    """This process among those of the run: number `rank` of `size`. A run without `torchrun` is 0 of 1."""

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> "World":
        """The world that was joined."""
        if not (dist.is_available() and dist.is_initialized()):
            return cls()
        return cls(rank=dist.get_rank(), size=dist.get_world_size())

    @classmethod
    def announced(cls) -> "World":
        """The world that `torchrun` announces in the environment, joined or not yet."""
        return cls(rank=int(os.environ.get("RANK", "0")), size=int(os.environ.get("WORLD_SIZE", "1")))

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes files and speaks."""
        return self.rank == 0

    def check(self, accumulate: int) -> None:
        """`ConfigError` unless a step's batches can be shared out evenly."""
        if accumulate % self.size:
            raise ConfigError(
                f"accumulate={accumulate} batches a step cannot be shared by {self.size} processes; "
                f"take a multiple of {self.size}, and batches that much smaller for the same step"
            )

    def takes(self, index: int) -> bool:
        """Whether batch `index` of a step is this process's."""
        return index % self.size == self.rank

    def share(self, batches: Sequence[T]) -> Iterator[tuple[T, bool]]:
        """This process's part of some batches, and whether each counts.

        All get equally many, because a forward pass may need the others; what is handed out twice counts once.
        """
        for begin in range(0, len(batches), self.size):
            index = begin + self.rank
            yield batches[min(index, len(batches) - 1)], index < len(batches)

    def sum(self, *numbers: float) -> list[float]:
        """Each number summed over all processes, in double precision."""
        if self.size == 1:
            return list(numbers)
        total = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(total)
        return cast(list[float], total.tolist())

    def from_first(self, value: T) -> T:
        """What the first process holds, for all."""
        if self.size == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            dist.barrier()

    def seed(self, seed: int, step: int) -> None:
        """Give this process its own random numbers for a step (dropout), as a function of seed, step and rank.

        Then no generator's state but the first's needs saving. A process alone keeps its one stream of numbers.
        """
        if self.size > 1:
            own = ((seed * 1_000_003 + step) * 1_000_003 + self.rank) % 2**63
            torch.manual_seed(own)
            random.seed(own)


def own_device() -> torch.device:
    """The GPU that `torchrun` means for this process, the first if it is alone, the processor if there is none."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


@contextmanager
def joined() -> Iterator[World]:
    """Join the processes that `torchrun` started, if it did, for the length of the block."""
    if World.announced().size == 1 or dist.is_initialized():
        yield World.current()
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(own_device())
    dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield World.current()
    finally:
        dist.destroy_process_group()


class _Scorer(nn.Module, Generic[Model, Batch]):
    """Model and loss as one module, since DistributedDataParallel acts on a module's forward."""

    def __init__(self, model: Model, loss: Loss[Model, Batch]) -> None:
        super().__init__()
        self.model, self.loss = model, loss

    def forward(self, batch: Batch) -> tuple[Tensor, int]:
        return self.loss(self.model, batch)


@dataclass(frozen=True, kw_only=True)
class Objective(Generic[Batch]):
    """The loss of a batch; gradients of all processes meet in its backward, but inside `apart`."""

    score: Callable[[Batch], tuple[Tensor, int]]
    apart: Callable[[], AbstractContextManager[Any]] = nullcontext


def spread(model: Model, loss: Loss[Model, Batch], parallel: Parallel = "ddp") -> Objective[Batch]:
    """Make `model` one that all processes train together; for "fsdp" its parameters are replaced by their shards.

    To be called before the optimiser is made. Gradients come out as the mean over processes.
    """
    if World.current().size == 1:
        return Objective(score=lambda batch: loss(model, batch))
    if parallel == "fsdp":
        shard(model)
        return Objective(score=lambda batch: loss(model, batch))
    device = next(model.parameters()).device
    together = nn.parallel.DistributedDataParallel(
        _Scorer(model, loss), device_ids=None if device.type == "cpu" else [device.index]
    )
    return Objective(score=together, apart=together.no_sync)


def shard(model: nn.Module) -> None:
    """Leave each process 1/W of every parameter. What a block needs is gathered when it is called, then let go."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    mesh = init_device_mesh(next(model.parameters()).device.type, (World.current().size,))
    for module in list(model.modules()):
        if isinstance(module, nn.ModuleList):
            for block in module:
                fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    for method in ("hidden", "logits"):  # losses call these, not forward
        if hasattr(model, method):
            register_fsdp_forward_method(model, method)


def let_go(model: nn.Module) -> None:
    """Back to shards, after forward passes that no backward followed."""
    from torch.distributed.fsdp import FSDPModule

    if isinstance(model, FSDPModule):
        model.reshard()


def is_sharded(tensor: Tensor) -> bool:
    return hasattr(tensor, "full_tensor")


def whole(tensor: Tensor) -> Tensor:
    """A tensor that is spread over processes in one piece; any other as it is. All processes must ask."""
    gather = getattr(tensor, "full_tensor", None)
    return tensor if gather is None else cast(Tensor, gather())


def whole_on_first(tensors: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
    """Named tensors in one piece on the first process, nothing on the others. All processes must ask."""
    world = World.current()
    found: dict[str, Tensor] = {}
    for name, tensor in tensors:
        piece = whole(tensor.detach())
        if world.is_first:
            found[name] = piece.cpu() if is_sharded(tensor) else piece.contiguous()
    return found


def as_spread(value: Tensor, parameter: Tensor) -> Tensor:
    """`value` as `parameter` is kept: this process's shard of it, or all of it; on the parameter's device."""
    value = value.to(parameter.device)
    if not is_sharded(parameter) or value.dim() == 0:
        return value
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(parameter, DTensor)
    # Every process has read the whole value, so nothing is sent.
    return distribute_tensor(value, parameter.device_mesh, parameter.placements, src_data_rank=None)
