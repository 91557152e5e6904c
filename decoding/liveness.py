"""Whether any text at all belongs to a language: what keeps dead ends out of states.

Rules may be recursive, so this is a least fixed point; intersections and complements are searched through their
derivatives, within a budget.
"""

from __future__ import annotations

from .errors import GrammarTooLarge
from .expression import Both, Choice, Expression, Not, Repeat, Rule, Seq, edges

SEARCH_BUDGET = 10_000  # expressions looked at before an emptiness search gives up
DECISION_BUDGET = 200_000  # parts looked at for one answer


def nonempty(expression: Expression) -> bool:
    """Whether at least one string belongs to the language; remembered in `live`.

    Raises GrammarTooLarge when an intersection needs more than SEARCH_BUDGET expressions to decide.
    """
    if expression.live is None:
        _Liveness().decide(expression)
    return bool(expression.live)


class _Liveness:
    """Least fixed point over rules: a rule met again while it is being decided counts as empty.

    A positive answer is final. A negative one that leaned on an undecided rule is only final once that rule
    is decided.
    """

    def __init__(self) -> None:
        self.open: dict[Expression, int] = {}
        self.leaned_on = 1 << 60  # depth of the outermost undecided rule that the current answer used
        self.left = DECISION_BUDGET

    def decide(self, e: Expression) -> bool:
        if e.live is not None:
            return e.live
        self.left -= 1
        if self.left < 0:
            raise GrammarTooLarge(f"gave up after {DECISION_BUDGET} steps while deciding whether a grammar is empty")
        if isinstance(e, Rule) and e in self.open:
            self.leaned_on = min(self.leaned_on, self.open[e])
            return False
        outer, self.leaned_on = self.leaned_on, 1 << 60
        depth = len(self.open)
        answer = self._look(e)
        if isinstance(e, Rule) and self.leaned_on >= depth:
            self.leaned_on = 1 << 60  # only leaned on itself
        if answer or self.leaned_on == 1 << 60:
            e.live = answer
        self.leaned_on = min(outer, self.leaned_on) if not answer else outer
        return answer

    def _look(self, e: Expression) -> bool:
        if isinstance(e, Seq):
            while isinstance(e, Seq) and e.live is None:
                if not self.decide(e.head):
                    return False
                e = e.tail
            return self.decide(e)
        if isinstance(e, Choice):
            return any(self.decide(option) for option in e.options)
        if isinstance(e, Repeat):
            return e.low == 0 or self.decide(e.body)
        if isinstance(e, Rule):
            self.open[e] = len(self.open)
            try:
                return self.decide(e.expand() if e.lives_as is None else e.lives_as)
            finally:
                del self.open[e]
        return self._search(e)

    def _search(self, start: Expression) -> bool:
        """Breadth first through the derivatives of an intersection or a complement."""
        parent: dict[Expression, Expression | None] = {start: None}
        queue = [start]
        for e in queue:
            for _, target in edges(e):
                if target in parent:
                    continue
                parent[target] = e
                searchable = isinstance(target, (Both, Not))
                if target.nullable or target.live or (not searchable and self.decide(target)):
                    target.live = True
                    step: Expression | None = e
                    while step is not None:
                        step.live = True
                        step = parent[step]
                    return True
                if searchable and target.live is None:
                    queue.append(target)
            if len(parent) > SEARCH_BUDGET:
                raise GrammarTooLarge(
                    f"gave up after {len(parent)} expressions while deciding whether an intersection is empty; "
                    "smaller bounds or a simpler pattern would do"
                )
        if self.leaned_on == 1 << 60:
            for e in queue:
                e.live = False
        return False
