"""What the generate loop asks of a constraint; the loop knows nothing of grammars."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

State = TypeVar("State")


class Constraint(Protocol[State]):
    """Which ids may follow, as a function of an immutable state; each row of a batch carries its own state.

    A state in which nothing is allowed is the end of the text, and must be accepting.
    """

    def start(self) -> State:
        """The state before the first generated id."""
        ...

    def allowed(self, state: State, /) -> "NDArray[np.bool_]":
        """Legal ids as bool (V,), V the model's vocabulary size."""
        ...

    def allowed_ids(self, state: State, /) -> "NDArray[np.int64] | None":
        """The legal ids, ascending, when they are few; else None.

        Few means that multiplying only their rows of the head pays.
        """
        ...

    def advance(self, state: State, id: int, /) -> State:
        """The state after `id`, which is legal in `state`."""
        ...

    def forced(self, state: State, /) -> Sequence[int]:
        """Ids that must follow whatever the model thinks, possibly none; it is not asked about them."""
        ...

    def accepting(self, state: State, /) -> bool:
        """Whether the text so far is complete."""
        ...
