"""Released weights in, folders for transformers out; transformers' own files stand in for the released ones."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from data.conversation import Call, Conversation, Message
from data.examples import read_examples
from data.tokenizer import RANK_FILES, load_tokenizer, ranks_from_distribution
from data.wire import STOP_IDS, encode, prompt_ids
from gpt2 import GenerateConfig, generate, load_model
from medcall.cli import main
from medcall.tokenizer_files import merges

REQUEST = "Can I give clarithromycin to someone on simvastatin? 22 lb, 5 µg — naïve\n\n  twice  a day 💊"


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the layout of the released GPT-2: 50,257 ids, small otherwise."""
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = tmp_path_factory.mktemp("released")
    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(n_positions=512, n_layer=2, n_head=2, n_embd=32))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() == 2:
                parameter.normal_(std=0.5 if ".h." in name else 0.1)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def imported(released: Path) -> Path:
    out = released.parent / f"{released.name}-imported"
    assert main(["import", str(released), "-o", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def exported(imported: Path) -> Path:
    out = imported.parent / f"{imported.name}-exported"
    assert main(["export", str(imported), "-o", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def tokenizer(exported: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(exported)


@pytest.fixture(scope="module")
def dialogues(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "dialogues"
    assert main(["examples", "-o", str(folder), "--n-train", "60", "--n-eval", "8", "--format", "jsonl"]) == 0
    return folder


def test_an_imported_model_has_the_released_logits_and_rows_for_the_control_tokens(
    released: Path, imported: Path
) -> None:
    from transformers import AutoModelForCausalLM

    model = load_model(imported)
    assert model.config.vocab_size == 50_304
    ids = torch.tensor([load_tokenizer().encode(REQUEST)])
    expected = AutoModelForCausalLM.from_pretrained(released)(ids).logits
    torch.testing.assert_close(model(ids)[..., :50_257], expected, atol=1e-5, rtol=1e-5)
    manifest = json.loads((imported / "manifest.json").read_text("utf-8"))
    assert manifest["summary"]["new_rows"] == 47
    assert manifest["inputs"]["weights"]["path"] == released.name


def test_a_second_import_is_reused(released: Path, imported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", str(released), "-o", str(imported)]) == 0
    assert "reused" in capsys.readouterr().err


def test_an_import_that_keeps_the_vocabulary_exports_as_it_came(released: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    assert main(["import", str(released), "-o", str(tmp_path / "in"), "--vocabulary", "0"]) == 0
    assert main(["export", str(tmp_path / "in"), "-o", str(tmp_path / "out")]) == 0
    before, after = (AutoModelForCausalLM.from_pretrained(path) for path in (released, tmp_path / "out"))
    assert after.config.vocab_size == 50_257
    for name, value in before.state_dict().items():
        assert torch.equal(value, after.state_dict()[name]), name
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "out")
    assert tokenizer.chat_template is None
    assert tokenizer(REQUEST)["input_ids"] == load_tokenizer().encode(REQUEST)


def test_an_exported_model_writes_the_same_greedy_text_in_transformers(imported: Path, exported: Path) -> None:
    from transformers import AutoModelForCausalLM

    theirs, info = AutoModelForCausalLM.from_pretrained(exported, output_loading_info=True)
    assert not any(info.values()), info
    assert tuple(theirs.generation_config.eos_token_id) == STOP_IDS
    prompt = prompt_ids(Conversation.of_request(REQUEST), load_tokenizer())
    ids = torch.tensor([prompt])
    text = theirs.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=40)[0, len(prompt) :].tolist()
    [ours] = generate(load_model(imported), [prompt], GenerateConfig(max_new_tokens=40, stop_ids=STOP_IDS))
    assert list(ours.ids) == text


def test_the_exported_tokenizer_encodes_and_decodes_as_ours(tokenizer: Any) -> None:
    ours = load_tokenizer()
    texts = [
        REQUEST,
        "",
        " ",
        "\n \n",
        "don't 12345 <tool call> a\u00a0b",
        '{"name": "x", "µ": [1, 2.5e-3]}',
        "\u0130ß漢字",
    ]
    for text in texts:
        ids = ours.encode(text)
        assert tokenizer(text)["input_ids"] == ids
        assert tokenizer.decode(ids) == text
    assert {name: tokenizer.convert_tokens_to_ids(name) for name in ours.control} == dict(ours.control)
    assert (tokenizer.bos_token_id, tokenizer.eos_token, tokenizer.pad_token) == (50_256, "<|end|>", "<|pad|>")
    assert len(tokenizer) == 50_267
    assert tokenizer.model_max_length == 512


def test_the_encodings_files_are_openais(exported: Path) -> None:
    merged, vocabulary = ranks_from_distribution()
    assert set(RANK_FILES) == {merged.name, vocabulary.name}
    assert (exported / "merges.txt").read_text("utf-8").splitlines()[1:] == merged.read_text("utf-8").splitlines()[1:]
    assert json.loads((exported / "vocab.json").read_text("utf-8")) == json.loads(vocabulary.read_text("utf-8"))


def test_merges_follow_from_bytes_alone() -> None:
    tokens = [b"a", b"b", b"c", b"ab", b"abc", b"bc", b"abca", b"bcbc"]
    assert merges(tokens) == [(0, 1), (3, 2), (1, 2), (4, 0), (5, 5)]


def test_the_chat_template_renders_the_ids_and_the_loss_mask_of_the_wire_format(
    tokenizer: Any, dialogues: Path
) -> None:
    import tools

    offered, ours = tools.openai_tools(), load_tokenizer()
    examples = read_examples(dialogues, "train")
    assert {e.kind for e in examples} and any(len(e.calls) > 1 for e in examples), "parallel calls are among them"
    for example in examples:
        messages = example.conversation.to_json()
        as_objects = json.loads(json.dumps(messages))
        for message in as_objects:
            for call in message.get("tool_calls", ()):
                call["function"]["arguments"] = json.loads(call["function"]["arguments"])
        for form in (messages, as_objects):
            rendered = tokenizer.apply_chat_template(
                form, tools=offered, return_dict=True, return_assistant_tokens_mask=True
            )
            wanted = encode(example.conversation, ours)
            assert rendered["input_ids"] == wanted.ids, example.id
            assert [bool(flag) for flag in rendered["assistant_masks"]] == wanted.loss, example.id
        asked = Conversation(messages=example.conversation.messages[:1])
        prompt = tokenizer.apply_chat_template(
            asked.to_json(), tools=offered, add_generation_prompt=True, return_dict=False
        )
        assert prompt == prompt_ids(asked, ours)


def test_the_chat_template_knows_every_kind_of_message(tokenizer: Any) -> None:
    conversation = Conversation(
        messages=(
            Message(role="system", content="Be brief.  "),
            Message(role="user", content=REQUEST),
            Message(
                role="assistant",
                calls=(
                    Call(name="calculate_dose", arguments={"weight": 22, "weight_unit": "lb", "drug": 'a "b" µ\\'}),
                    Call(name="check_drug_interactions", arguments={"drugs": ["x", "y"], "include": True, "z": None}),
                ),
            ),
            Message(role="tool", content='{"status": "ok"}'),
            Message(role="tool", content="{}"),
            Message(role="assistant", content=" Both are known. "),
        )
    )
    messages = conversation.to_json()
    wanted = encode(conversation, load_tokenizer()).ids
    assert tokenizer.apply_chat_template(messages, return_dict=False) == wanted
    messages[1]["content"] = [{"type": "text", "text": REQUEST[:9]}, {"type": "text", "text": REQUEST[9:]}]
    assert tokenizer.apply_chat_template(messages, return_dict=False) == wanted


@pytest.mark.parametrize(
    ("messages", "tools", "said"),
    [
        ([{"role": "user", "content": "a<|end|>b"}], None, r"spells the control token <\|end\|>"),
        ([{"role": "user", "content": "<|endoftext|>"}], None, r"spells the control token <\|endoftext\|>"),
        ([{"role": "user", "content": "a"}], [{"name": "order_pizza"}], "not trained to call order_pizza; it knows"),
        ([{"role": "critic", "content": "a"}], None, "role is critic"),
        ([{"role": "assistant", "content": ""}], None, "neither text nor calls"),
        (
            [{"role": "assistant", "content": "a", "tool_calls": [{"name": "b", "arguments": {}}]}],
            None,
            "both text and calls",
        ),
    ],
)
def test_what_the_wire_format_cannot_say_is_refused(tokenizer: Any, messages: Any, tools: Any, said: str) -> None:
    from jinja2 import TemplateError

    with pytest.raises(TemplateError, match=said):
        tokenizer.apply_chat_template(messages, tools=tools)


def test_an_imported_model_is_fine_tuned_and_exported(imported: Path, dialogues: Path, tmp_path: Path) -> None:
    """The new rows learn, and the run starts from the imported weights, not from random ones."""
    before = load_model(imported)
    few = ["--batch-size", "4", "--steps", "3", "--warmup-steps", "1", "--eval-every", "0", "--held-out", "4"]
    sft = tmp_path / "sft"
    words = ["finetune", str(dialogues), "--from", str(imported), "-o", str(sft), "--learning-rate", "1e-4", *few]
    assert main(words) == 0
    after = load_model(sft)
    assert after.config == before.config
    moved = (after.transformer.wte.weight - before.transformer.wte.weight).detach().abs()
    assert 0 < moved.max() < 1e-3, "three steps of 1e-4 away from where it began"
    assert moved[50_257:50_267].max() > 0, "the control tokens are learned"
    assert main(["export", str(sft), "-o", str(tmp_path / "hf"), "--dtype", "bfloat16"]) == 0
    assert json.loads((tmp_path / "hf" / "config.json").read_text("utf-8"))["dtype"] == "bfloat16"


def test_a_name_on_the_hub_says_what_to_do_without_a_connection(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gpt2").mkdir()  # a folder of that name that holds no weights is not meant
    assert main(["import", "gpt2", "-o", "out"]) == 2
    said = capsys.readouterr().err
    assert "cannot get openai-community/gpt2 from the Hugging Face hub" in said
    assert "fetch config.json and model.safetensors" in said
    assert not (tmp_path / "out").exists()


def test_a_name_on_the_hub_is_found_in_the_cache_of_earlier_downloads(
    released: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = tmp_path / "cache" / "models--openai-community--gpt2-xl"
    shutil.copytree(released, cached / "snapshots" / "0123abc")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("0123abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)
    assert main(["import", "gpt2-xl", "-o", "out"]) == 0
    assert load_model(tmp_path / "out").config.n_layer == 2


@pytest.mark.parametrize("source", ["./nowhere", "nowhere", "a/b/c", "empty"])
def test_a_source_that_is_nowhere_is_refused(
    source: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert main(["import", source, "-o", "out"]) == 2
    said = capsys.readouterr().err
    assert source.removeprefix("./") in said and ("holds no config.json" in said or "nothing is at" in said)
