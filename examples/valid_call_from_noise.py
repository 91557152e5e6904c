"""A model that knows nothing writes a valid tool call: random logits under a grammar. No weights, no GPU.

The grammar is that of the three tools' calls, grounded in one request: names and numbers can only be ones that it
contains. What is left to a model is to choose among them.
"""

import numpy as np

import tools
from data.tokenizer import load_tokenizer
from decoding import Vocabulary, compile_json_schema, ground

tokenizer = load_tokenizer()
vocabulary = Vocabulary(tokenizer.token_bytes(), eos=tokenizer.end_of_text, encode=tokenizer.encode)
constraint = compile_json_schema(tools.call_schema(), vocabulary)
constraint = ground(constraint, "CrCl of a 72-year-old woman, 58 kg, creatinine 1.7 mg/dL")

noise, state, ids = np.random.default_rng(1), constraint.start(), []
while not constraint.accepting(state):
    logits = np.where(constraint.allowed(state), noise.normal(size=vocabulary.size), -np.inf)
    ids.append(int(logits.argmax()))
    state = constraint.advance(state, ids[-1])
print(tokenizer.decode(ids))
