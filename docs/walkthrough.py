"""The experiments of walkthrough.md: `python docs/walkthrough.py` trains seven small models and draws three pictures.

A request names a medicine that nobody has heard of, letter by letter, and the answer must spell it again. It cannot be
known by heart, so a model that spells it has learned to look back. Every variant is the real model with one part
exchanged.

B requests   T letters   C channels   H heads   D == C // H
"""

import argparse
import json
import math
import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gpt2 import (
    GPT,
    IGNORE,
    GenerateConfig,
    GPTConfig,
    Observer,
    Run,
    Step,
    TrainConfig,
    generate,
    next_token_loss,
    train,
)
from gpt2.masks import causal
from gpt2.model import Block, CausalSelfAttention

LETTERS = string.ascii_lowercase + " ?>."
"""`>` asks for the answer, `.` ends it."""
ASKED = ("take {}?>", "is {} safe?>", "what is {}?>", "stop {} now?>")
REAL = ("warfarin", "ibuprofen", "metformin", "digoxin", "lithium", "phenytoin", "naproxen", "heparin")
LONGEST = 30
CONFIG = GPTConfig(vocab_size=len(LETTERS), block_size=48, n_layer=4, n_head=4, n_embd=64, attention="longhand")
SMOOTH = 20
"""Steps whose mean loss is one point of a curve."""
HERE = Path(__file__).with_suffix("")

Change = Callable[[GPT], None]


def ids_of(text: str) -> list[int]:
    return [LETTERS.index(letter) for letter in text]


def text_of(ids: Any) -> str:
    return "".join(LETTERS[i] for i in ids)


def request(chance: random.Random) -> tuple[str, str]:
    """A question about an invented name of 4 to 9 letters, and the name."""
    name = "".join(chance.choices(string.ascii_lowercase, k=chance.randint(4, 9)))
    return chance.choice(ASKED).format(name), name


class Copying:
    """Batches of 32 requests with their answers; only the answer is scored."""

    def __init__(self, given: int = 0) -> None:
        self.given = given

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        chance = random.Random(self.given)
        self.given += 1
        ids, targets = torch.zeros(32, LONGEST, dtype=torch.long), torch.full((32, LONGEST), IGNORE)
        for row in range(32):
            asked, name = request(chance)
            text = torch.tensor(ids_of(f"{asked}{name}."))
            ids[row, : len(text) - 1] = text[:-1]
            targets[row, len(asked) - 1 : len(text) - 1] = text[len(asked) :]
        return ids, targets

    def state_dict(self) -> dict[str, Any]:
        return {"given": self.given}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.given = state["given"]


# One part exchanged ---------------------------------------------------------------------------------------------------


def as_it_is(model: GPT) -> None:
    """Nothing."""


def no_residual(model: GPT) -> None:
    """Each half of a block replaces the stream instead of adding to it."""

    def forward(block: Block, x: Tensor, visible: Tensor | None = None, cache: Any = None) -> Tensor:
        return block.mlp(block.ln_2(block.attn(block.ln_1(x), visible, cache)))

    exchange_blocks(model, forward)


def post_ln(model: GPT) -> None:
    """Normalise the sum, as Vaswani et al. 2017, instead of what each half reads."""

    def forward(block: Block, x: Tensor, visible: Tensor | None = None, cache: Any = None) -> Tensor:
        x = block.ln_1(x + block.attn(x, visible, cache))
        return block.ln_2(x + block.mlp(x))

    exchange_blocks(model, forward)


def no_scale(model: GPT) -> None:
    """Scores are not divided by √D, and queries and keys begin wide, so that it matters."""
    wide_queries(model)
    for attention in attentions(model):
        root = math.sqrt(CONFIG.n_embd // CONFIG.n_head)
        attention.attend = lambda q, k, v, visible, own=attention, root=root: own.longhand(q * root, k, v, visible)


def wide_queries(model: GPT) -> None:
    """The scale as it is, with the same wide queries and keys: what `no scale` is to be compared with."""
    with torch.no_grad():
        for attention in attentions(model):
            attention.c_attn.weight[: 2 * CONFIG.n_embd].normal_(std=0.15)


def no_mask(model: GPT) -> None:
    """Every position sees every other while training. Generation cannot: what comes later is not there yet."""
    for attention in attentions(model):
        attention.attend = lambda q, k, v, visible, own=attention: own.longhand(
            q, k, v, torch.ones(q.size(-2), k.size(-2), dtype=torch.bool) if own.training else visible
        )


def no_positions(model: GPT) -> None:
    """Position embeddings stay zero: order is known from the mask alone."""
    model.transformer.wpe.weight.requires_grad_(False).zero_()


def exchange_blocks(model: GPT, forward: Callable[..., Tensor]) -> None:
    for block in model.transformer.h:
        block.forward = forward.__get__(block)


def attentions(model: GPT) -> list[CausalSelfAttention]:
    return [block.attn for block in model.transformer.h]


VARIANTS: dict[str, Change] = {
    "as it is": as_it_is,
    "no residual": no_residual,
    "post-LN": post_ln,
    "wide queries": wide_queries,
    "wide, no scale": no_scale,
    "no mask": no_mask,
    "no positions": no_positions,
}


# Measuring ------------------------------------------------------------------------------------------------------------


class Curve(Observer):
    """The loss of every step."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_step(self, run: Run, step: Step) -> None:
        self.losses.append(step.loss)


def trained(change: Change, steps: int) -> tuple[GPT, list[float]]:
    """A model with one part exchanged, after `steps` batches, and its losses."""
    torch.manual_seed(0)
    model = GPT(CONFIG)
    change(model)
    config = TrainConfig(
        steps=steps, learning_rate=3e-3, warmup_steps=min(50, steps), weight_decay=0.01, autocast="fp32"
    )
    curve = Curve()
    train(model, Copying(), next_token_loss, config, [curve])
    return model.eval(), curve.losses


def copied(model: GPT, requests: list[tuple[str, str]]) -> float:
    """Share of names spelled exactly, greedily, from what generation can see."""
    prompts = [ids_of(asked) for asked, _ in requests]
    made = generate(model, prompts, GenerateConfig(max_new_tokens=11, stop_ids=(LETTERS.index("."),)))
    return sum(text_of(m.ids) == f"{name}." for m, (_, name) in zip(made, requests, strict=True)) / len(requests)


def attention_maps(model: GPT, text: str) -> Tensor:
    """What each head of each layer looks at when it reads `text`: (layers, H, T, T), rows sum to 1."""
    maps: list[Tensor] = []
    before = [attention.attend for attention in attentions(model)]
    for attention in attentions(model):

        def attend(q: Tensor, k: Tensor, v: Tensor, visible: Any, own: CausalSelfAttention = attention) -> Tensor:
            looked = torch.eye(k.size(-2)).expand(1, own.n_head, -1, -1)  # values that say where they come from
            maps.append(own.longhand(q, k, looked, visible)[0])
            return own.longhand(q, k, v, visible)

        attention.attend = attend
    with torch.no_grad():
        model(torch.tensor([ids_of(text)]))
    for attention, own in zip(attentions(model), before, strict=True):
        attention.attend = own
    return torch.stack(maps)


def copying_head(maps: Tensor, begin: int, answer: int, length: int) -> tuple[int, int, float]:
    """The layer and head that look most at the letter to be spelled next, and how much, on average over the name."""
    rows = torch.arange(answer - 1, answer - 1 + length)
    weights = maps[:, :, rows, torch.arange(begin, begin + length)].mean(dim=-1)  # (layers, H)
    layer, head = divmod(int(weights.argmax()), weights.size(1))
    return layer, head, float(weights[layer, head])


# Pictures -------------------------------------------------------------------------------------------------------------


def draw_mask(path: Path) -> None:
    import matplotlib.pyplot as plt

    text = "is digoxin safe?"
    figure, axes = plt.subplots(figsize=(4, 4))
    axes.imshow(causal(len(text), len(text)), cmap="Greys", vmin=0, vmax=2)
    label(axes, text, text)
    axes.set_title("a letter (row) sees itself and what came before", fontsize=9)
    save(figure, path)


def draw_attention(path: Path, maps: Tensor, text: str, layer: int, head: int) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 6))
    axes.imshow(maps[layer, head], cmap="magma", vmin=0, vmax=1)
    label(axes, text, text)
    axes.set_title(f"layer {layer}, head {head}: what each letter looks at", fontsize=9)
    save(figure, path)


def draw_curves(path: Path, curves: dict[str, list[float]]) -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4))
    for name, losses in curves.items():
        axes.plot([SMOOTH * (i + 1) for i in range(len(losses))], losses, label=name)
    axes.set_xlabel("step")
    axes.set_ylabel("loss of the answer's letters, nats")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=8)
    save(figure, path)


def label(axes: Any, rows: str, columns: str) -> None:
    axes.set_xticks(range(len(columns)), columns, fontsize=7)
    axes.set_yticks(range(len(rows)), rows, fontsize=7)


def save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=90)


# All of it ------------------------------------------------------------------------------------------------------------


def experiment(name: str, steps: int, out: Path) -> dict[str, Any]:
    """Train one variant and measure it; of the model as it is, also what a head looks at."""
    model, losses = trained(VARIANTS[name], steps)
    chance = random.Random("held out")
    result: dict[str, Any] = {
        "loss": round(sum(losses[-SMOOTH:]) / len(losses[-SMOOTH:]), 3),
        "copied": round(copied(model, [request(chance) for _ in range(128)]), 3),
        "curve": [round(sum(losses[i : i + SMOOTH]) / SMOOTH, 3) for i in range(0, len(losses) - SMOOTH + 1, SMOOTH)],
    }
    if VARIANTS[name] is as_it_is:
        result["real"] = round(copied(model, [(f"is {drug} safe?>", drug) for drug in REAL]), 3)
        text = "is ibuprofen safe?>ibuprofen"
        maps = attention_maps(model, text)
        layer, head, weight = copying_head(maps, text.index("ibu"), text.rindex("ibu"), len("ibuprofen"))
        result["head"] = {"layer": layer, "head": head, "weight": round(weight, 3)}
        draw_attention(out / "attention.png", maps, text, layer, head)
    return result


def main(names: list[str], out: Path, steps: int) -> dict[str, Any]:
    """Run the named experiments (all, if none), beside those already in results.json; returns them all."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / "results.json"
    results: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    for name in names or VARIANTS:
        results[name] = {"steps": steps} | experiment(name, steps, out)
        print(name, {key: value for key, value in results[name].items() if key != "curve"}, flush=True)
    results = {name: results[name] for name in VARIANTS if name in results}
    path.write_text(json.dumps(results) + "\n")
    draw_mask(out / "mask.png")
    draw_curves(out / "experiments.png", {name: result["curve"] for name, result in results.items()})
    return results


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variant", nargs="*", help=f"which of {', '.join(VARIANTS)} (default all)")
    parser.add_argument("-o", "--output", type=Path, default=HERE, help="folder for pictures and results.json")
    parser.add_argument("--steps", type=int, default=600, help="batches of 32 requests that each model learns from")
    arguments = parser.parse_args()
    if unknown := set(arguments.variant) - set(VARIANTS):
        parser.error(f"no variant {unknown.pop()!r}; there are {', '.join(VARIANTS)}")
    main(arguments.variant, arguments.output, arguments.steps)
