"""Weights as Hugging Face keeps GPT-2's, read and written without its code.

    config.json                    sizes
    model.safetensors              or several, with model.safetensors.index.json saying which holds what

Their names are ours, sometimes without `transformer.` in front. Their Conv1D stores (in, out) where nn.Linear stores
(out, in), so the four matrices of each block are transposed. A tied head is stored once, as `wte`.
`attn.bias` and `attn.masked_bias` are the causal mask in old files, and nothing that was learned.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from gpt2.config import GPTConfig
from gpt2.errors import ConfigError, ForeignWeights
from gpt2.folder import to_json
from gpt2.model import GPT

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"

_TRANSPOSED = re.compile(r"transformer\.h\.\d+\.(attn\.c_attn|attn\.c_proj|mlp\.c_fc|mlp\.c_proj)\.weight")
_NOT_LEARNED = re.compile(r".*\.attn\.(bias|masked_bias)")
_SAME_FUNCTION: Mapping[str, tuple[Any, ...]] = {
    "model_type": ("gpt2",),
    "activation_function": ("gelu_new", "gelu_pytorch_tanh"),
    "scale_attn_weights": (True,),
    "scale_attn_by_inverse_layer_idx": (False,),
    "add_cross_attention": (False,),
}
"""What config.json may say, if it says it, for the function to be GPT-2's."""


def read_released(path: Path) -> GPT:
    """The GPT-2 in a Hugging Face folder, or in one safetensors file; in float32, without dropout.

    A file without a config.json beside it must have the width of one of the four released models, since the number of
    heads cannot be seen in the weights. Raises `ForeignWeights` for anything but a GPT-2, naming what is unlike.
    """
    folder, files = _files(Path(path))
    if (folder / CONFIG).is_file():
        config = _config(folder / CONFIG)
    else:
        config = _config_from_shapes(files)
    with torch.device("meta"):  # no time is spent on random numbers
        model = GPT(config)
    model.to_empty(device="cpu")
    if config.tie_weights:
        model.lm_head.weight = model.transformer.wte.weight
    wanted = dict(model.named_parameters())
    head: Tensor | None = None
    with torch.no_grad():
        for stored, file in files.items():
            name = _our_name(stored)
            if _NOT_LEARNED.fullmatch(name):
                continue
            value = _read(file, stored)
            if name == "lm_head.weight" and config.tie_weights:
                head = value
                continue
            if name not in wanted:
                raise ForeignWeights(f"{file}: {stored} is no parameter of a GPT-2 of {config.n_layer} layers")
            value = value.T if _TRANSPOSED.fullmatch(name) else value
            parameter = wanted.pop(name)
            if value.shape != parameter.shape:
                raise ForeignWeights(
                    f"{file}: {stored} is {tuple(value.shape)}, expected {tuple(parameter.shape)} by {CONFIG}"
                )
            parameter.copy_(value)
    if wanted:
        raise ForeignWeights(f"{path}: {len(wanted)} parameters are missing, the first is {next(iter(wanted))}")
    if head is not None and not torch.equal(head.float(), model.lm_head.weight):
        raise ForeignWeights(
            f"{path}: the head differs from the embedding, but {CONFIG} says that they are one; "
            "set tie_word_embeddings to false there to keep both"
        )
    return model.eval()


def write_released(
    model: GPT,
    folder: Path,
    *,
    begin: int | None = None,
    stop: tuple[int, ...] = (),
    pad: int | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write config.json, generation_config.json and model.safetensors into an existing folder, for `from_pretrained`.

    `begin`, `stop` and `pad` are ids: what a text begins with, what ends a generated one, what fills a row.
    """
    config = model.config
    ids = {"bos_token_id": begin, "eos_token_id": list(stop) or None, "pad_token_id": pad}
    described = {
        "architectures": ["GPT2LMHeadModel"],
        "model_type": "gpt2",
        "vocab_size": config.vocab_size,
        "n_positions": config.block_size,
        "n_ctx": config.block_size,
        "n_embd": config.n_embd,
        "n_layer": config.n_layer,
        "n_head": config.n_head,
        "n_inner": None,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": config.layer_norm_epsilon,
        "initializer_range": 0.02,
        **dict.fromkeys(("attn_pdrop", "embd_pdrop", "resid_pdrop"), config.dropout),
        "scale_attn_weights": True,
        "tie_word_embeddings": config.tie_weights,
        "use_cache": True,
        "dtype": str(dtype).removeprefix("torch."),
        **ids,
    }
    (folder / CONFIG).write_text(to_json(CONFIG, described))
    (folder / "generation_config.json").write_text(to_json("generation_config.json", {"do_sample": False, **ids}))
    tensors = {
        name: (value.detach().T if _TRANSPOSED.fullmatch(name) else value.detach()).to("cpu", dtype).contiguous()
        for name, value in model.named_parameters()
    }
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def grow_vocabulary(model: GPT, rows: int, *, seed: int = 0) -> GPT:
    """The same model with `rows` ids: the new ones begin near the mean of the old, so that none is likely at first.

    New row = mean of the old rows + N(0, a tenth of their standard deviation), channel by channel (after Hewitt 2021,
    "Initializing new word embeddings for pretrained language models"). At the mean, an id's logit is the average
    logit, which is far below what the model would say; the noise sets the new ids apart. The head's rows likewise if
    it is not tied. Returns `model` itself if it has so many rows; raises `ConfigError` if it has more.
    """
    old = model.config.vocab_size
    if rows == old:
        return model
    if rows < old:
        raise ConfigError(f"the model has {old} ids, a vocabulary of {rows} would cut off {old - rows} of them")
    with torch.device("meta"):
        grown = GPT(replace(model.config, vocab_size=rows))
    grown.to_empty(device=model.lm_head.weight.device)
    if model.config.tie_weights:
        grown.lm_head.weight = grown.transformer.wte.weight
    generator = torch.Generator().manual_seed(seed)
    before = dict(model.named_parameters())
    with torch.no_grad():
        for name, parameter in grown.named_parameters():
            value = before[name].detach()
            if value.shape != parameter.shape:  # wte and an untied head, (V, C)
                noise = torch.randn(rows - old, value.size(1), generator=generator).to(value)
                value = torch.cat([value, value.mean(dim=0) + 0.1 * value.std(dim=0) * noise])
            parameter.copy_(value)
    return grown.train(model.training)


def _our_name(stored: str) -> str:
    return stored if stored.startswith(("transformer.", "lm_head.")) else f"transformer.{stored}"


def _files(path: Path) -> tuple[Path, dict[str, Path]]:
    """The folder, and which file holds each stored name."""
    if path.is_file():
        return path.parent, _names(path)
    if (path / INDEX).is_file():
        listed = _json(path / INDEX).get("weight_map")
        if not isinstance(listed, dict):
            raise ForeignWeights(f"{path / INDEX}: no weight_map in it, expected one from names to files")
        return path, {name: path / Path(file).name for name, file in listed.items()}
    if (path / WEIGHTS).is_file():
        return path, _names(path / WEIGHTS)
    pickled = sorted(file.name for file in path.glob("*.bin")) if path.is_dir() else []
    raise ForeignWeights(
        f"{path}: neither {WEIGHTS} nor {INDEX} is here"
        + (f", only {pickled[0]}, which is a pickle and is not opened; fetch the safetensors" if pickled else "")
    )


def _names(file: Path) -> dict[str, Path]:
    try:
        with safe_open(file, framework="pt") as tensors:
            return dict.fromkeys(tensors.keys(), file)
    except (OSError, SafetensorError) as error:
        raise ForeignWeights(f"{file}: not a whole safetensors file ({error}); fetch it again") from error


def _read(file: Path, name: str) -> Tensor:
    try:
        with safe_open(file, framework="pt") as tensors:
            value: Tensor = tensors.get_tensor(name)
    except (OSError, SafetensorError) as error:
        raise ForeignWeights(f"{file}: {name} cannot be read ({error}); fetch the file again") from error
    return value


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ForeignWeights(f"{path} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise ForeignWeights(f"{path} holds a {type(content).__name__}, expected a JSON object")
    return content


def _config(path: Path) -> GPTConfig:
    values = _json(path)
    for name, same in _SAME_FUNCTION.items():
        if name in values and values[name] not in same:
            raise ForeignWeights(f"{path}: {name} is {values[name]!r}, but in the released GPT-2 it is {same[0]!r}")
    try:
        config = GPTConfig(
            vocab_size=values["vocab_size"],
            block_size=values["n_positions" if "n_positions" in values else "n_ctx"],
            n_layer=values["n_layer"],
            n_head=values["n_head"],
            n_embd=values["n_embd"],
            tie_weights=values.get("tie_word_embeddings", True),
            layer_norm_epsilon=values.get("layer_norm_epsilon", 1e-5),
        )
    except (KeyError, TypeError) as error:
        raise ForeignWeights(f"{path}: the sizes are not all there ({error})") from error
    except ConfigError as error:
        raise ForeignWeights(f"{path}: {error}") from error
    if values.get("n_inner") not in (None, 4 * config.n_embd):
        raise ForeignWeights(f"{path}: n_inner is {values['n_inner']}, expected 4 * n_embd = {4 * config.n_embd}")
    return config


def _config_from_shapes(files: Mapping[str, Path]) -> GPTConfig:
    shapes: dict[str, tuple[int, ...]] = {}
    for stored, file in files.items():
        with safe_open(file, framework="pt") as tensors:
            shapes[_our_name(stored)] = tuple(tensors.get_slice(stored).get_shape())
    where = next(iter(files.values()), None)
    try:
        (vocab_size, n_embd), (block_size, _) = shapes["transformer.wte.weight"], shapes["transformer.wpe.weight"]
    except (KeyError, ValueError) as error:
        raise ForeignWeights(f"{where}: there is no wte and wpe, so it does not hold a GPT-2") from error
    heads = {768: 12, 1024: 16, 1280: 20, 1600: 25}
    if n_embd not in heads:
        raise ForeignWeights(
            f"{where}: n_embd is {n_embd}, not that of a released GPT-2 ({', '.join(map(str, heads))}), so the number "
            f"of heads is unknown; put its {CONFIG} beside it"
        )
    head, embedding = files.get("lm_head.weight"), next(name for name in files if name.endswith("wte.weight"))
    layers = {int(match[1]) for name in shapes if (match := re.match(r"transformer\.h\.(\d+)\.", name))}
    return GPTConfig(
        vocab_size=vocab_size,
        block_size=block_size,
        n_layer=max(layers, default=0) + 1,
        n_head=heads[n_embd],
        n_embd=n_embd,
        tie_weights=head is None or torch.equal(_read(head, "lm_head.weight"), _read(files[embedding], embedding)),
    )
