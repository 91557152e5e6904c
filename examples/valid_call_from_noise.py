"""A model that knows nothing writes a valid tool call: random logits under the tools' grammar. No weights, no GPU."""

import numpy as np

import tools
from data.tokenizer import load_tokenizer
from decoding import Vocabulary, compile_json_schema

tokenizer = load_tokenizer()
vocabulary = Vocabulary(tokenizer.token_bytes(), eos=tokenizer.end_of_text, encode=tokenizer.encode)
constraint = compile_json_schema(tools.call_schema(["calculate_dose"]), vocabulary)

noise, state, ids = np.random.default_rng(5), constraint.start(), []
while not constraint.accepting(state):
    logits = noise.normal(size=vocabulary.size)
    logits[~constraint.allowed(state)] = -np.inf
    ids.append(int(logits.argmax()))
    state = constraint.advance(state, ids[-1])
print(tokenizer.decode(ids))
