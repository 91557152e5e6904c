"""The command line: `medcall VERB ...`, verbs in the order of the pipeline.

Each verb is a module of `medcall.commands` with `add(parser)`, which declares its arguments, and `run(args)`,
which calls the library, prints one summary on stdout and may return an exit code. Only the module of the verb
in use is imported, so `medcall --help` and `medcall tool` start fast.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

import medcall
from medcall.errors import BAD_INPUT, report

VERBS = {
    "extract": "read a textbook (PDF, Markdown, DOCX, HTML, PPTX) into clean blocks of text",
    "tokenize": "turn the blocks into token streams, held-out chapters apart",
    "tokens": "see how a text is cut into tokens",
    "pretrain": "train a GPT-2 on the token streams",
    "import": "take the weights of a released GPT-2 as a checkpoint",
    "examples": "write dialogues whose tool calls were run by the real tools",
    "finetune": "teach the pretrained model to call tools",
    "ask": "ask a fine-tuned model; it calls a tool, the tool answers",
    "evaluate": "score a model on held-out dialogues: free, constrained, grounded",
    "export": "write a checkpoint as a folder for transformers, with tokenizer and chat template",
    "tool": "call a tool yourself, without a model",
    "mcp": "serve the tools to programs that speak the Model Context Protocol",
    "grammar": "see what a JSON Schema becomes, and test text against it",
    "demo": "run the whole pipeline on the built-in textbook",
}
MODULES = {"import": "import_weights"}  # `import` is a word of Python's
NOTICE = "Research software. Not a medical device, not clinical advice. Patients in it are synthetic."


def usage() -> str:
    """The page that `medcall --help` prints."""
    width = max(map(len, VERBS))
    rows = "\n".join(f"  {verb:<{width}}  {text}" for verb, text in VERBS.items())
    return (
        f"usage: medcall [--debug] VERB ...\n\n"
        f"A GPT-2 built by hand that learns to call medical tools, every call valid by construction.\n{NOTICE}\n\n"
        f"verbs, in the order of the pipeline:\n{rows}\n\n"
        "options:\n  --debug     show the traceback of an error\n  --version   print the version\n\n"
        "example:\n  medcall demo -o artifacts/demo\n\n`medcall VERB --help` explains one verb.\n"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the exit code: 0 done, 2 bad input, 1 failure, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        return 0 if words else BAD_INPUT
    if words[0] == "--version":
        print(f"medcall {medcall.__version__}")
        return 0
    verb = words[0]
    if verb not in VERBS:
        print(f"medcall: no verb {verb!r}; the verbs are {', '.join(VERBS)}", file=sys.stderr)
        return BAD_INPUT
    try:
        module = importlib.import_module(f"medcall.commands.{MODULES.get(verb, verb)}")
        parser = argparse.ArgumentParser(
            prog=f"medcall {verb}",
            description=f"{VERBS[verb][0].upper()}{VERBS[verb][1:]}.\n\n{NOTICE}",
            epilog=f"example:\n  {module.EXAMPLE}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add(parser)
        return int(module.run(parser.parse_args(words[1:])) or 0)
    except SystemExit as stop:  # argparse: 0 for --help, 2 for misuse
        return stop.code if isinstance(stop.code, int) else BAD_INPUT
    except BrokenPipeError:  # `medcall tool ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        return report(error)


if __name__ == "__main__":
    sys.exit(main())
