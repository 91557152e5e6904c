"""Tool definitions of chat APIs as turns, and whole turns in `transformers.generate` with tiny random models."""

from __future__ import annotations

import json
import os
from typing import Any

import jsonschema
import pytest
import torch

from decoding import HuggingFaceProcessor, ToolChoice, ToolFormat, Vocabulary, call_schema, compile_tools, ground

os.environ.setdefault("HF_HUB_OFFLINE", "1")
transformers = pytest.importorskip("transformers")

DOSE = {
    "name": "dose",
    "description": "How much.",
    "parameters": {
        "type": "object",
        "properties": {
            "drug": {"enum": ["aspirin", "heparin"]},
            "mg": {"type": "integer", "minimum": 1, "maximum": 99},
        },
        "required": ["drug"],
        "additionalProperties": False,
    },
}
TREE = {
    "name": "tree",
    "inputSchema": {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"left": {"$ref": "#/$defs/node"}},
                "required": [],
                "additionalProperties": False,
            }
        },
    },
}
NOW = {"type": "function", "function": {"name": "now"}}
TOOLS = [{"type": "function", "function": DOSE}, TREE, NOW]


def allows(turn: ToolChoice, text: str) -> bool:
    """Whether the text is a whole turn, byte by byte."""
    state = turn.start()
    for byte in text.encode():
        if not turn.allowed(state)[byte]:
            return False
        state = turn.advance(state, byte)
    return bool(turn.allowed(state)[turn.end])


@pytest.mark.parametrize(
    ("call", "right"),
    [
        ('{"name": "dose", "arguments": {"drug": "aspirin", "mg": 5}}', True),
        ('{"name": "tree", "arguments": {"left": {"left": {}}}}', True),
        ('{"name": "now", "arguments": {}}', True),
        ('{"name": "dose", "arguments": {"mg": 5}}', False),
        ('{"name": "tree", "arguments": {"right": {}}}', False),
        ('{"name": "now", "arguments": {"a": 1}}', False),
        ('{"name": "later", "arguments": {}}', False),
    ],
)
def test_every_way_to_define_a_tool_is_read(small: Vocabulary, call: str, right: bool) -> None:
    turn = compile_tools(TOOLS, small)
    assert allows(turn, f"<tool_call>\n{call}\n</tool_call>") == right
    assert allows(turn, f"Here:\n<tool_call>\n{call}\n</tool_call>") == right
    assert jsonschema.Draft202012Validator(call_schema(TOOLS)).is_valid(json.loads(call)) == right


def test_tool_choice_is_that_of_chat_apis(small: Vocabulary) -> None:
    call = '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>'
    for choice, words, now, dose in [
        ("auto", True, True, True),
        ("none", True, False, False),
        ("required", False, True, True),
        ({"type": "function", "function": {"name": "now"}}, False, True, False),
        ({"type": "tool", "name": "dose"}, False, False, True),
    ]:
        turn = compile_tools(TOOLS, small, choice)  # type: ignore[arg-type]
        other = call.replace("now", "dose").replace("{}", '{"drug": "heparin"}')
        assert (allows(turn, "Hello."), allows(turn, call), allows(turn, other)) == (words, now, dose), choice


def test_parallel_calls_as_each_format_writes_them(small: Vocabulary) -> None:
    one, two = '{"name": "now", "arguments": {}}', '{"name": "dose", "arguments": {"drug": "heparin"}}'
    hermes = compile_tools(TOOLS, small, max_calls=2)
    tagged = [f"<tool_call>\n{c}\n</tool_call>" for c in (one, two, one)]
    assert allows(hermes, "\n".join(tagged[:2]))
    assert not allows(hermes, "\n".join(tagged))
    assert not allows(hermes, "".join(tagged[:2]))
    mistral = compile_tools(TOOLS, small, format=ToolFormat.mistral(), max_calls=2)
    assert allows(mistral, f"[TOOL_CALLS] [{one}, {two}]")
    assert not allows(mistral, f"[TOOL_CALLS] [{one}, {two}, {one}]")
    assert not allows(mistral, "[TOOL_CALLS] []")
    llama = compile_tools(TOOLS, small, format=ToolFormat.llama(), max_calls=None)
    one, two = (call.replace("arguments", "parameters") for call in (one, two))
    assert allows(llama, f"{one}; {two}; {one}")
    assert allows(llama, 'Text with {"names": 1} in it')
    assert not allows(llama, 'Text with {"name": 1} in it')


def test_a_turn_is_grounded_by_its_calls(small: Vocabulary) -> None:
    spoken = {
        "type": "object",
        "properties": {"drug": {"type": "string", "x-from": "conversation"}},
        "required": ["drug"],
    }
    turn = compile_tools([{"name": "dose", "parameters": spoken}], small)
    grounded = turn.with_constraint(ground(turn.constraint, "take aspirin"))
    call = '<tool_call>\n{"name": "dose", "arguments": {"drug": "%s"}}\n</tool_call>'
    assert allows(turn, call % "heparin")
    assert not allows(grounded, call % "heparin")
    assert allows(grounded, call % "aspirin")


@pytest.mark.parametrize(
    ("definitions", "choice", "message"),
    [
        ([], "auto", "no tools"),
        ([{"parameters": {}}], "auto", "a tool is an object with a name"),
        ([NOW, NOW], "auto", "two tools have one name: now"),
        ([{"name": "f", "parameters": []}], "auto", "tool 'f': its parameters"),
        ([NOW], {"name": "then"}, "names 'then'; the tools are 'now'"),
        ([NOW], "always", "tool_choice='always'"),
    ],
)
def test_a_wrong_definition_or_choice_is_named(small: Vocabulary, definitions: Any, choice: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compile_tools(definitions, small, choice)


# ---- transformers


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    """A byte-level BPE trained on a few lines; its merges straddle the tags."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), special_tokens=[], show_progress=False
    )
    call = 'I see. <tool_call>\n{"name": "dose", "arguments": {"drug": "aspirin", "mg": 7}}\n</tool_call>'
    made.train_from_iterator([call, call.replace("aspirin", "heparin"), "I see: a call of a tool"] * 3, trainer)
    made.add_special_tokens(["<pad>", "<end>"])
    made.add_tokens([AddedToken("[[call]]", special=False)])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<end>")


def model_of(kind: str, tokenizer: Any) -> Any:
    torch.manual_seed(0)
    ends = {"bos_token_id": None, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": tokenizer.pad_token_id}
    if kind == "gpt2":
        config = transformers.GPT2Config(
            vocab_size=len(tokenizer), n_positions=256, n_embd=16, n_layer=1, n_head=2, **ends
        )
        return transformers.GPT2LMHeadModel(config).eval()
    config = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=256,
        **ends,
    )
    return transformers.LlamaForCausalLM(config).eval()


class Eager:
    """Makes a random model likely to write the tag, in whatever tokens it can."""

    def __init__(self, tokenizer: Any, tag: str) -> None:
        parts = {tag[a:b] for a in range(len(tag)) for b in range(a + 1, len(tag) + 1)}
        self.likely = [i for i in range(len(tokenizer)) if tokenizer.decode([i]) in parts]

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        scores = scores.clone()
        scores[:, self.likely] += 6
        return scores


GREEDY, SAMPLE, BEAM = {"do_sample": False}, {"do_sample": True}, {"num_beams": 3, "do_sample": False}


@pytest.mark.parametrize(
    ("kind", "how", "choice"),
    [
        ("gpt2", GREEDY, "auto"),
        ("gpt2", SAMPLE, "auto"),
        ("llama", BEAM, "auto"),
        ("llama", SAMPLE, "required"),
        ("gpt2", BEAM, {"name": "dose"}),
        ("llama", SAMPLE, "none"),
    ],
    ids=str,
)
def test_generate_writes_turns_that_can_be_parsed(tokenizer: Any, kind: str, how: dict[str, Any], choice: Any) -> None:
    vocabulary = Vocabulary.from_huggingface(tokenizer)
    turn = compile_tools([DOSE, NOW], vocabulary, choice, max_calls=2)
    prompts = tokenizer(
        ["dose?", "a tool call, please", "7 mg"], return_tensors="pt", padding=True, padding_side="left"
    )
    torch.manual_seed(2)
    rows = model_of(kind, tokenizer).generate(
        input_ids=prompts["input_ids"],
        attention_mask=prompts["attention_mask"],
        max_new_tokens=120,
        logits_processor=[Eager(tokenizer, "<tool_call>\n"), HuggingFaceProcessor(turn, pad_id=tokenizer.pad_token_id)],
        **how,
    )
    ended = 0
    for row in rows[:, prompts["input_ids"].size(1) :].tolist():
        text = tokenizer.decode([i for i in row if i not in (tokenizer.pad_token_id, tokenizer.eos_token_id)])
        words, *calls = text.split("<tool_call>\n")
        if choice == "none":
            assert not calls
        if choice not in ("auto", "none"):
            assert calls
            assert words == ""
        if tokenizer.eos_token_id not in row:
            continue  # cut off
        ended += 1
        assert len(calls) <= 2
        for n, part in enumerate(calls, 1):
            body = part.removesuffix("\n</tool_call>" if n == len(calls) else "\n</tool_call>\n")
            assert body != part
            call = json.loads(body)
            assert choice != {"name": "dose"} or call["name"] == "dose"
            jsonschema.validate(call, call_schema([DOSE, NOW]))
    assert ended or choice in ("auto", "none")


def test_a_tag_that_is_an_added_token_is_that_token(tokenizer: Any) -> None:
    vocabulary = Vocabulary.from_huggingface(tokenizer)
    form = ToolFormat(open="[[call]]\n")
    added = tokenizer.get_added_vocab()
    turn = compile_tools([NOW], vocabulary, "required", format=form, added_tokens=added)
    assert turn.forced(turn.start())[0] == added["[[call]]"]
    assert tokenizer.decode(turn.forced(turn.start())) == '[[call]]\n{"name": "now", "arguments": {}}<end>'
    as_text = compile_tools([NOW], vocabulary, "required", format=form)
    assert added["[[call]]"] not in as_text.forced(as_text.start())
