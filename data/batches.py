"""Where a run stands in its data: a walk through shuffled epochs that can be left and taken up again."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from data.errors import DataError

IGNORE = -100
"""Target of a position that nothing is learned from, as `torch.nn.functional.cross_entropy` names it."""

Rows = list[list[int]]
"""A batch of dialogues: the dialogues of each row, by index."""

Plan = TypeVar("Plan", NDArray[np.int64], list[Rows])


class Walk(Generic[Plan]):
    """Takes the items of one epoch's plan after another, endlessly or for some `epochs`.

    A plan is a function of the epoch alone, so a position is two numbers and resuming is exact. `identity` is what a
    position refers to: plain values that must be equal where it is taken up again. With `world_size` > 1 each rank
    takes its own items of the same plan, equally many. What cannot be is raised as `error`.
    """

    def __init__(
        self,
        plan: Callable[[int], Plan],
        identity: Mapping[str, Any],
        *,
        unit: str,
        error: type[DataError],
        epochs: int | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        if not 0 <= rank < world_size:
            raise error(f"rank={rank} is not one of world_size={world_size} ranks")
        self._plan: Callable[[int], Plan] = plan
        self._error = error
        self._identity = {**identity, "world_size": world_size}
        self._rank, self._world_size, self._epochs = rank, world_size, epochs
        self.epoch = 0
        self.position = 0  # items of this rank already taken in this epoch
        self._own: Plan = self._share(0)
        if not len(self._own):
            raise error(f"there are fewer {unit} ({len(plan(0))}) than world_size={world_size} ranks; use smaller ones")

    def _share(self, epoch: int) -> Plan:
        whole = self._plan(epoch)
        each = len(whole) // self._world_size
        return whole[self._rank : each * self._world_size : self._world_size]

    def __len__(self) -> int:
        """This rank's items in this epoch."""
        return len(self._own)

    def take(self, count: int) -> Plan:
        """The next `count` items; fewer, but never none, at the end of an epoch. StopIteration after the last."""
        if self.position >= len(self._own):
            self.epoch, self.position = self.epoch + 1, 0
            self._own = self._share(self.epoch)
        if self._epochs is not None and self.epoch >= self._epochs:
            raise StopIteration
        taken = self._own[self.position : self.position + count]
        self.position += len(taken)
        return taken

    def state_dict(self) -> dict[str, Any]:
        """Where the next item is, and what that position refers to."""
        return {"epoch": self.epoch, "position": self.position} | self._identity

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a saved position; `error` if it belongs to other data, settings or another share."""
        for name, mine in self._identity.items():
            if state.get(name) != mine:
                raise self._error(
                    f"the saved position has {name}={state.get(name)!r}, these batches have {name}={mine!r}; "
                    "resume with the data and settings of the interrupted run, or start a new one"
                )
        self.epoch, self.position = int(state["epoch"]), int(state["position"])
        self._own = self._share(self.epoch)
