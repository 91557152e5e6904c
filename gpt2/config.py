"""The shape of a GPT-2: one frozen dataclass, checked when it is made, stored in every checkpoint."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, Self, get_args

from gpt2.errors import ConfigError

Attention = Literal["fused", "longhand"]


@dataclass(frozen=True, kw_only=True)
class GPTConfig:
    """Sizes of the model.

    The presets are those of Radford et al. 2019, table 2, plus `tiny` for a laptop's two cores. The default
    vocabulary is GPT-2's 50,257 ids and our control tokens, padded to a multiple of 128; released weights
    fill its first 50,257 rows.
    """

    vocab_size: int = 50_304
    block_size: int = 1024
    n_layer: int = 12
    n_head: int = 12
    n_embd: int = 768
    dropout: float = 0.0
    tie_weights: bool = True
    attention: Attention = "fused"
    layer_norm_epsilon: float = 1e-5

    def __post_init__(self) -> None:
        for name in ("vocab_size", "block_size", "n_layer", "n_head", "n_embd"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name}={getattr(self, name)} must be at least 1")
        if self.n_embd % self.n_head:
            raise ConfigError(f"n_embd={self.n_embd} does not divide into n_head={self.n_head} heads")
        if not 0.0 <= self.dropout < 1.0:
            raise ConfigError(f"dropout={self.dropout} must be at least 0 and less than 1")
        if not self.layer_norm_epsilon > 0.0:
            raise ConfigError(f"layer_norm_epsilon={self.layer_norm_epsilon} must be greater than 0")
        if self.attention not in get_args(Attention):
            raise ConfigError(f"attention={self.attention!r} must be one of {get_args(Attention)}")

    @classmethod
    def tiny(cls) -> Self:
        """7 million parameters, of which 6 are the vocabulary; trains in minutes on two cores."""
        return cls(n_layer=4, n_head=4, n_embd=128, block_size=512)

    @classmethod
    def gpt2_124m(cls) -> Self:
        """GPT-2 small."""
        return cls()

    @classmethod
    def gpt2_355m(cls) -> Self:
        """GPT-2 medium."""
        return cls(n_layer=24, n_head=16, n_embd=1024)

    @classmethod
    def gpt2_774m(cls) -> Self:
        """GPT-2 large."""
        return cls(n_layer=36, n_head=20, n_embd=1280)

    @classmethod
    def gpt2_1558m(cls) -> Self:
        """GPT-2 XL, named 1.5b on the command line."""
        return cls(n_layer=48, n_head=25, n_embd=1600)

    @classmethod
    def preset(cls, name: str) -> Self:
        """The preset of a command-line name; `ConfigError` lists the names there are."""
        presets: dict[str, Callable[[], Self]] = {
            "tiny": cls.tiny,
            "124m": cls.gpt2_124m,
            "355m": cls.gpt2_355m,
            "774m": cls.gpt2_774m,
            "1.5b": cls.gpt2_1558m,
        }
        if name not in presets:
            raise ConfigError(f"no preset named {name!r}; there are {', '.join(presets)}")
        return presets[name]()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as a checkpoint's config.json holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The config that `to_dict` described; a field this version does not know is a `ConfigError`."""
        unknown = sorted(set(values) - {field.name for field in fields(cls)})
        if unknown:
            raise ConfigError(f"unknown fields {unknown}; this config was written by another version")
        return cls(**values)
