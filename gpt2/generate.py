"""Prompts in, tokens out: one loop, free and constrained, single and batched, greedy and sampled.

B rows still running   T new positions in one pass   C channels   V vocabulary

Every turn of the loop emits what each row's constraint forces, then reads all unread ids of all rows in one
pass, then chooses one id a row. A forced run of any length thus costs no pass of its own, and where few ids
are legal only their rows of the head are multiplied.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from gpt2.cache import Cache
from gpt2.config import GPTConfig
from gpt2.constraint import Constraint
from gpt2.errors import ConfigError, ConstraintError, ContextOverflow, GenerationError
from gpt2.model import GPT
from gpt2.sampling import choose

Finish = Literal["stop", "length", "constraint"]
Processor: TypeAlias = Callable[[Sequence[Sequence[int]], Tensor], Tensor]
"""(ids, logits) -> logits: every row's prompt and generated ids, and float logits (rows, V), in the order of
the prompts.

A row that has finished keeps its place, with logits of zero, and what is returned for it is ignored.
"""


@dataclass(frozen=True, kw_only=True)
class GenerateConfig:
    """How to choose, and when to stop. Greedy by default."""

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_k: int | None = None
    top_p: float = 1.0
    min_p: float = 0.0
    stop_ids: tuple[int, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_new_tokens < 1:
            raise ConfigError(f"max_new_tokens={self.max_new_tokens} must be at least 1")
        if not 0.0 <= self.temperature < float("inf"):
            raise ConfigError(f"temperature={self.temperature} must be 0 (greedy) or a positive number")
        if self.top_k is not None and self.top_k < 1:
            raise ConfigError(f"top_k={self.top_k} must be at least 1, or None for no limit")
        if not 0.0 < self.top_p <= 1.0:
            raise ConfigError(f"top_p={self.top_p} must be greater than 0 and at most 1")
        if not 0.0 <= self.min_p <= 1.0:
            raise ConfigError(f"min_p={self.min_p} must be between 0 and 1")


@dataclass(frozen=True, kw_only=True)
class Token:
    """One generated id and how it came about.

    `forced`: nothing else was legal, the model was not asked. `narrowed`: chosen among the `choices` legal
    ids. `free`: chosen among the whole vocabulary. `probability` is the model's own, among the legal ids, at
    temperature 1.
    """

    row: int
    id: int
    kind: Literal["forced", "narrowed", "free"]
    choices: int
    probability: float


@dataclass(frozen=True, kw_only=True)
class Generated:
    """What one prompt became.

    `ids` are the new ids, a stop id included. `finish` says what ended it: a stop id, the length (of
    `max_new_tokens` or of the context), or a constraint with nothing left to allow. `passes` counts the
    forward passes this row took part in.
    """

    ids: tuple[int, ...]
    finish: Finish
    forced: int
    passes: int
    tokens: tuple[Token, ...] = ()


@dataclass(kw_only=True)
class _Row:
    """One prompt on its way."""

    index: int
    prompt: list[int]
    constraint: Constraint[Any] | None
    generator: torch.Generator
    state: Any = None
    ids: list[int] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)  # not yet in the cache
    finish: Finish | None = None
    forced: int = 0
    passes: int = 0
    tokens: list[Token] = field(default_factory=list)


class _Loop:
    """One call of `generate`: the rows, and what applies to all of them."""

    def __init__(
        self,
        model: GPT,
        rows: list[_Row],
        config: GenerateConfig,
        processors: Sequence[Processor],
        on_token: Callable[[Token], None] | None,
        record: bool,
    ) -> None:
        self.model, self.rows, self.config = model, rows, config
        self.processors, self.on_token, self.record = processors, on_token, record
        self.weight = model.lm_head.weight  # (V, C)
        capacity = max(len(row.prompt) for row in rows) + config.max_new_tokens
        self.cache = Cache(model.config, len(rows), capacity, dtype=self.weight.dtype, device=self.weight.device)

    def run(self) -> list[Generated]:
        active = self.rows
        while True:
            for row in active:
                self.emit_forced(row)
            running = [i for i, row in enumerate(active) if row.finish is None]
            if not running:
                break
            if len(running) < len(active):
                active = [active[i] for i in running]
                self.cache.keep(running)
            hidden = self.read(active)  # (B, C)
            for row, token in zip(active, self.select(active, hidden), strict=True):
                self.emit(row, token)
        return [
            Generated(
                ids=tuple(row.ids),
                finish=row.finish,
                forced=row.forced,
                passes=row.passes,
                tokens=tuple(row.tokens),
            )
            for row in self.rows
            if row.finish is not None
        ]

    def read(self, active: list[_Row]) -> Tensor:
        """Read every unread id in one pass, and return what the head sees after each row's last, (B, C)."""
        counts = [len(row.unread) for row in active]
        device = self.weight.device
        if len(set(counts)) == 1:
            ids = torch.tensor([row.unread for row in active], device=device)  # (B, T)
            hidden = self.model.hidden(ids, cache=self.cache)[:, -1]
        else:
            ids = torch.tensor([[token for row in active for token in row.unread]], device=device)  # (1, N)
            last = torch.tensor(counts, device=device).cumsum(dim=0) - 1  # (B,)
            hidden = self.model.hidden(ids, cache=self.cache, counts=counts)[0, last]
        for row in active:
            row.unread, row.passes = [], row.passes + 1
        return hidden

    def emit_forced(self, row: _Row) -> None:
        """Emit ids as long as there is no choice. A single legal id is no choice either."""
        while row.constraint is not None and row.finish is None:
            run: Sequence[int] = row.constraint.forced(row.state)
            if not run:
                legal = row.constraint.allowed_ids(row.state)
                if legal is None or len(legal) > 1:
                    return
                run = [int(token) for token in legal]
            if not run:  # nothing is legal: the end of the text
                if not row.constraint.accepting(row.state):
                    raise ConstraintError(
                        f"row {row.index}: after {row.ids} nothing is allowed, but the text is not complete"
                    )
                row.finish = "constraint"
            for token in run:
                if row.finish is None:
                    self.emit(row, Token(row=row.index, id=token, kind="forced", choices=1, probability=1.0))

    def emit(self, row: _Row, token: Token) -> None:
        """Take a token, and see whether the row ends with it."""
        row.ids.append(token.id)
        row.unread.append(token.id)
        row.forced += token.kind == "forced"
        if self.record:
            row.tokens.append(token)
        if self.on_token is not None:
            self.on_token(token)
        if row.constraint is not None:
            row.state = row.constraint.advance(row.state, token.id)
        if token.id in self.config.stop_ids:
            row.finish = "stop"
        elif row.constraint is not None and self.at_end(row.constraint, row.state):
            row.finish = "constraint"
        elif (
            len(row.ids) >= self.config.max_new_tokens or len(row.prompt) + len(row.ids) >= self.model.config.block_size
        ):
            row.finish = "length"

    @staticmethod
    def at_end(constraint: Constraint[Any], state: Any) -> bool:
        if not constraint.accepting(state) or constraint.forced(state):
            return False
        legal = constraint.allowed_ids(state)
        return not constraint.allowed(state).any() if legal is None else len(legal) == 0

    def select(self, active: list[_Row], hidden: Tensor) -> list[Token]:
        """Choose the next id of every row from what the head sees, (B, C)."""
        tokens: dict[int, Token] = {}
        wide: list[int] = []
        for i, row in enumerate(active):
            legal = None if row.constraint is None or self.processors else row.constraint.allowed_ids(row.state)
            if legal is None:
                wide.append(i)
                continue
            index = torch.tensor(legal, device=self.weight.device)  # (n,)
            logits = F.linear(hidden[i], self.weight[index]).float()  # (n,)
            [(place, probability)] = self.pick([row], logits[None])
            tokens[i] = Token(
                row=row.index,
                id=int(legal[place]),
                kind="narrowed",
                choices=len(legal),
                probability=probability,
            )
        if wide:
            logits = self.process(active, self.model.logits(hidden[wide]).float())  # (W, V); W == B with processors
            legal_counts = [self.forbid(active[i], logits[j]) for j, i in enumerate(wide)]
            picked = self.pick([active[i] for i in wide], logits)
            for i, choices, (id, probability) in zip(wide, legal_counts, picked, strict=True):
                tokens[i] = Token(
                    row=active[i].index,
                    id=id,
                    kind="free" if choices == logits.size(-1) else "narrowed",
                    choices=choices,
                    probability=probability,
                )
        return [tokens[i] for i in range(len(active))]

    def process(self, active: list[_Row], logits: Tensor) -> Tensor:
        """Run the processors over the rows of all prompts; returns the active rows' logits."""
        if not self.processors:
            return logits
        places = [row.index for row in active]
        everything = logits.new_zeros(len(self.rows), logits.size(-1))
        everything[places] = logits
        ids = [row.prompt + row.ids for row in self.rows]
        for processor in self.processors:
            everything = processor(ids, everything)
        return everything[places]

    @staticmethod
    def forbid(row: _Row, logits: Tensor) -> int:
        """Rule out, in place, what the row's constraint forbids; returns how many ids are left."""
        if row.constraint is None:
            return logits.numel()
        allowed = torch.tensor(row.constraint.allowed(row.state), device=logits.device)  # (V,)
        logits.masked_fill_(~allowed, -torch.inf)
        return int(allowed.sum())

    def pick(self, rows: list[_Row], logits: Tensor) -> list[tuple[int, float]]:
        """The place chosen in each row's logits (B, n), and its probability (nan if nobody will look)."""
        config = self.config
        places = choose(
            logits,
            [row.generator for row in rows],
            temperature=config.temperature,
            top_k=config.top_k,
            top_p=config.top_p,
            min_p=config.min_p,
        )  # (B,)
        if not (self.record or self.on_token):
            return [(place, float("nan")) for place in places.tolist()]
        probabilities = (logits.gather(-1, places[:, None]) - logits.logsumexp(dim=-1, keepdim=True)).exp()  # (B, 1)
        return list(zip(places.tolist(), probabilities.squeeze(-1).tolist(), strict=True))


@torch.inference_mode()
def generate(
    model: GPT,
    prompts: Sequence[Sequence[int]],
    config: GenerateConfig | None = None,
    *,
    constraint: Constraint[Any] | Sequence[Constraint[Any] | None] | None = None,
    processors: Sequence[Processor] = (),
    on_token: Callable[[Token], None] | None = None,
    record: bool = False,
) -> list[Generated]:
    """Continue each prompt; row i of the result belongs to prompt i.

    `constraint` holds for every row, or is a sequence with one for each. `on_token` hears of every token as
    it is chosen; `record` keeps the same tokens in the result. The same seed gives the same ids, and a row's
    draws do not depend on the others'. A prompt needs room for at least one more token (`ContextOverflow`); a
    row that fills the context ends with "length".
    """
    config = GenerateConfig() if config is None else config
    if not prompts:
        return []
    _check_prompts(prompts, model.config)
    constraints = constraint if isinstance(constraint, Sequence) else [constraint] * len(prompts)
    if len(constraints) != len(prompts):
        raise GenerationError(
            f"{len(constraints)} constraints were given for {len(prompts)} prompts; give one for each"
        )
    rows = []
    for index, (prompt, own) in enumerate(zip(prompts, constraints, strict=True)):
        generator = torch.Generator().manual_seed((config.seed * 1_000_003 + index) % 2**63)
        row = _Row(index=index, prompt=list(prompt), unread=list(prompt), constraint=own, generator=generator)
        if own is not None:
            row.state = own.start()
            width = len(own.allowed(row.state))
            if width != model.config.vocab_size:
                raise ConstraintError(
                    f"row {index}: the constraint's vocabulary has {width} ids, "
                    f"the model's {model.config.vocab_size}; "
                    "compile it for the tokenizer the model was trained with, padded to the model's size"
                )
        rows.append(row)
    was_training = model.training
    model.eval()
    try:
        return _Loop(model, rows, config, processors, on_token, record).run()
    finally:
        model.train(was_training)


def _check_prompts(prompts: Sequence[Sequence[int]], config: GPTConfig) -> None:
    for row, prompt in enumerate(prompts):
        if len(prompt) == 0:
            raise GenerationError(
                f"row {row}: the prompt is empty; begin with at least one id, such as the end-of-text id"
            )
        if len(prompt) >= config.block_size:
            raise ContextOverflow(
                f"row {row}: the prompt has {len(prompt)} ids and leaves no room in "
                f"block_size={config.block_size}; shorten it"
            )
        outside = [id for id in prompt if not 0 <= id < config.vocab_size]
        if outside:
            raise GenerationError(f"row {row}: id {outside[0]} is outside the vocabulary of {config.vocab_size}")
