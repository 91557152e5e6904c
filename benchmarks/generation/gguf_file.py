"""A GPT-2 as a gguf file, which llama.cpp reads. Without a vocabulary: it is asked with ids and answers with logits."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from gpt2 import GPT

NAMES = {
    "transformer.wte": "token_embd",
    "transformer.wpe": "position_embd",
    "transformer.ln_f": "output_norm",
    "lm_head": "output",
}
BLOCK = {
    "ln_1": "attn_norm",
    "attn.c_attn": "attn_qkv",
    "attn.c_proj": "attn_output",
    "ln_2": "ffn_norm",
    "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down",
}


def write_gguf(model: GPT, path: Path, *, int8: bool = False) -> None:
    """Matrices in float32 or in Q8_0 (32 numbers share a scale), all else in float32."""
    config = model.config
    writer = gguf.GGUFWriter(path, "gpt2")
    writer.add_context_length(config.block_size)
    writer.add_embedding_length(config.n_embd)
    writer.add_feed_forward_length(4 * config.n_embd)
    writer.add_block_count(config.n_layer)
    writer.add_head_count(config.n_head)
    writer.add_layer_norm_eps(config.layer_norm_epsilon)
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("no_vocab")
    for name, parameter in model.named_parameters():
        value: np.ndarray = parameter.detach().numpy()
        kind = gguf.GGMLQuantizationType.F32
        if int8 and value.ndim == 2 and "wpe" not in name:
            kind = gguf.GGMLQuantizationType.Q8_0
            value = gguf.quants.quantize(value, kind)
        writer.add_tensor(_name(name), value, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _name(ours: str) -> str:
    module, kind = ours.rsplit(".", 1)
    if module.startswith("transformer.h."):
        _, _, layer, inner = module.split(".", 3)
        return f"blk.{layer}.{BLOCK[inner]}.{kind}"
    return f"{NAMES[module]}.{kind}"
