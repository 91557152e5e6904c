"""Who is measured: an engine is made from a folder of weights and continues prompts greedily, always `new` ids.

Each runs in a process of its own (worker.py), so that no thread pool or allocator of one is in another's way.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import torch

Ids = Sequence[Sequence[int]]


class Engine(Protocol):
    """`name` with version; `generate` continues equally long prompts by `new` ids each."""

    name: str

    def generate(self, prompts: Ids, new: int) -> list[list[int]]: ...


class Medcall:
    """This project's loop."""

    def __init__(self, folder: Path) -> None:
        import medcall
        from gpt2 import read_released

        self.name = f"medcall {medcall.__version__}"
        self.model = read_released(folder)

    def generate(self, prompts: Ids, new: int) -> list[list[int]]:
        from gpt2 import GenerateConfig, generate

        return [list(made.ids) for made in generate(self.model, prompts, GenerateConfig(max_new_tokens=new))]


class Transformers:
    """`GPT2LMHeadModel.generate` with its default cache and attention."""

    def __init__(self, folder: Path) -> None:
        from transformers import GPT2LMHeadModel

        self.name = f"transformers {version('transformers')}"
        self.model = GPT2LMHeadModel.from_pretrained(folder).eval()  # type: ignore[no-untyped-call]

    def generate(self, prompts: Ids, new: int) -> list[list[int]]:
        ids = torch.tensor(prompts)
        with torch.inference_mode():
            made = self.model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, do_sample=False, pad_token_id=0
            )
        rows: list[list[int]] = made[:, ids.size(1) :].tolist()
        return rows


class LlamaCpp:
    """llama.cpp by its C interface, as many threads as torch has, all rows of a step in one batch."""

    def __init__(self, folder: Path, file: str) -> None:
        import llama_cpp

        self.api = llama_cpp
        self.name = f"llama.cpp, llama-cpp-python {version('llama-cpp-python')}"
        self.quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.quiet, None)
        llama_cpp.llama_backend_init()
        self.model = llama_cpp.llama_model_load_from_file(
            str(folder / file).encode(), llama_cpp.llama_model_default_params()
        )
        if not self.model:
            raise SystemExit(f"llama.cpp could not read {folder / file}")
        self.size = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(self.model))
        self.context: Any = None
        self.shape = (0, 0)

    def generate(self, prompts: Ids, new: int) -> list[list[int]]:
        api, rows, length = self.api, len(prompts), len(prompts[0])
        self._make_room(rows, length + new)
        batch = api.llama_batch_init(rows * length, 0, 1)
        made: list[list[int]] = [[] for _ in prompts]
        unread: list[list[int]] = [list(prompt) for prompt in prompts]
        position = 0
        for _ in range(new):
            self._fill(batch, unread, position)
            if api.llama_decode(self.context, batch):
                raise SystemExit("llama.cpp could not decode")
            position += len(unread[0])
            for row, ids in enumerate(made):
                logits = api.llama_get_logits_ith(self.context, (row + 1) * len(unread[row]) - 1)
                array = ctypes.cast(logits, ctypes.POINTER(ctypes.c_float * self.size)).contents
                ids.append(int(torch.frombuffer(array, dtype=torch.float32).argmax()))
            unread = [[ids[-1]] for ids in made]
        api.llama_batch_free(batch)
        return made

    def _make_room(self, rows: int, length: int) -> None:
        api = self.api
        if self.shape != (rows, length):
            if self.context:
                api.llama_free(self.context)
            wanted = api.llama_context_default_params()
            wanted.n_ctx = rows * (-(-length // 256) * 256)  # a row's share is padded to 256
            wanted.n_batch = wanted.n_ubatch = rows * length
            wanted.n_seq_max = rows
            wanted.n_threads = wanted.n_threads_batch = torch.get_num_threads()
            self.context = api.llama_init_from_model(self.model, wanted)
            self.shape = (rows, length)
        api.llama_memory_clear(api.llama_get_memory(self.context), False)

    @staticmethod
    def _fill(batch: Any, unread: Sequence[Sequence[int]], position: int) -> None:
        n = 0
        for row, ids in enumerate(unread):
            for offset, token in enumerate(ids):
                batch.token[n], batch.pos[n] = token, position + offset
                batch.n_seq_id[n], batch.seq_id[n][0] = 1, row
                batch.logits[n] = offset == len(ids) - 1
                n += 1
        batch.n_tokens = n


ENGINES: dict[str, Callable[[Path], Engine]] = {
    "medcall": Medcall,
    "transformers": Transformers,
    "llama.cpp": lambda folder: LlamaCpp(folder, "float32.gguf"),
    "llama.cpp-q8": lambda folder: LlamaCpp(folder, "q8_0.gguf"),
}
