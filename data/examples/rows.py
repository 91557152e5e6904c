"""One row of the data set: from (seed, split, number) to a checked example.

A row depends on nothing else, so the same row comes out whatever the order, the size of the data or the
number of processes.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from data.conversation import Conversation, Example, Message
from data.errors import ExamplesError
from data.examples import dialogues, own_tools
from data.examples.checks import at, check_spans, nested
from data.examples.drafts import Asked, Draft, Segment, Segments, filled, join, words
from data.examples.entities import Catalogue, Pool, Unusable, held_out_number
from data.examples.execution import run
from data.examples.library import Library, Use, patterns_of
from data.examples.noise import perturb, recase, with_typos
from data.examples.operations import ask_for, operations
from data.examples.patterns import Pattern
from data.examples.pieces import Draw
from data.examples.splits import SPLITS, WEIGHTS
from data.tokenizer import Tokenizer
from data.wire import encode

ATTEMPTS: Final = 300
LONG: Final = (170, 330)
"""Words' worth of notes, in tokens, around a request of the long_context split."""
LINKS: Final = (
    " Also, ", " And ", "; also ", "\n", " Then ", " Next: ", " Second, ", ". Also: ", " Plus: ", " In addition, ",
    "\n\n", " and also ", " + ", ", then ", " & also ", " - and ", " While you're at it, ", " After that, ", "; ",
    " Another one: ", " Oh and ", " (2) ", " as well as ", " Secondly: ",
)  # fmt: skip


class RowMaker:
    """Makes the rows of one split."""

    def __init__(
        self,
        *,
        seed: int,
        split: str,
        catalogue: Catalogue,
        tokenizer: Tokenizer,
        context: int,
        nonce_share: float,
    ) -> None:
        if split not in SPLITS:
            raise ExamplesError(f"no split named {split!r}; have {', '.join(SPLITS)}")
        self.seed = seed
        self.name = split
        self.split = SPLITS[split]
        # A perturbed row is the iid row of the same number, typed badly.
        self.stream = "iid" if self.split.style == "perturbed" else split
        self.tokenizer = tokenizer
        self.context = context
        self.pool = Pool(
            catalogue=catalogue,
            nonce_share=nonce_share,
            drugs=self.split.drugs,
            new_nonce=self.split.nonce,
            new_patient=self.split.patient,
            new_number=self.split.number,
        )
        use: Use = "new_phrasing" if self.split.voice else "new_template" if self.split.pattern else "known"
        self.patterns: Library = patterns_of(use)
        self.joint = [names for names in self.patterns if len(names) > 1]
        only = self.split.operations
        self.weights = {
            op: (only.count(op) if only else w)
            for op, w in WEIGHTS.items()
            if (not only or op in only) and (op,) in self.patterns
        }
        self._kinds: Mapping[str, Callable[[random.Random, str], Example]] = {
            "single": lambda rng, row: self.finish(self.single(rng), row, rng),
            "parallel": lambda rng, row: self.finish(self.parallel(rng), row, rng),
            "missing": lambda rng, row: self.finish(self.missing(rng), row, rng),
            "irrelevant": lambda rng, row: self.finish(self.irrelevant(rng), row, rng),
            "continue": lambda rng, row: dialogues.ask_and_continue(self, rng, row),
            "confirm": lambda rng, row: dialogues.confirm(self, rng, row),
            "answer": lambda rng, row: dialogues.answer(self, rng, row),
            "chain": lambda rng, row: dialogues.chain(self, rng, row),
            "own_tool": lambda rng, row: own_tools.row(self, rng, row),
        }

    def row(self, number: int) -> Example:
        """Row `number`.

        Raises `ExamplesError` if no attempt gives a sound example, which is a fault in a pattern or a tool.
        """
        why = ""
        mix = self.split.mix
        for attempt in range(ATTEMPTS):
            rng = random.Random(f"{self.seed}:{self.stream}:{number}:{attempt}")
            kind = rng.choices(list(mix), list(mix.values()))[0]
            try:
                return self.checked(self._kinds[kind](rng, f"{self.name}-{number:06d}"))
            except Unusable as reason:
                why = f"{kind}: {reason}"
        raise ExamplesError(
            f"row {number} of {self.name!r}: none of {ATTEMPTS} attempts is a sound example; the last: {why}"
        )

    # ---- what is asked

    def operation(self, rng: random.Random) -> str:
        """An operation, as often as the split asks for it."""
        return rng.choices(list(self.weights), list(self.weights.values()))[0]

    def draw(self, rng: random.Random, names: tuple[str, ...], slip: str = "") -> list[Draw]:
        """A draw for all calls of a pattern, and one for each."""
        return [Draw(rng, self.pool, names, slip=slip), *(Draw(rng, self.pool, (name,)) for name in names)]

    def single(
        self,
        rng: random.Random,
        name: str | None = None,
        pattern: Pattern | None = None,
        leave_out: int | None = None,
        slip: str = "",
    ) -> Draft:
        """A request for one operation (or for those of a pattern)."""
        name = name or self.operation(rng)
        pattern = pattern or rng.choice(self.patterns[(name,)])
        draws = self.draw(rng, pattern.operations, slip)
        segments = list(filled(pattern, draws, len(pattern.operations), leave_out))
        return Draft(
            kind=name,
            origin=pattern.place,
            turns=[segments],
            asked=[(operations()[operation], pattern.constants) for operation in pattern.operations],
            topic=topic_of(pattern.operations),
            draws=draws,
        )

    def parallel(self, rng: random.Random) -> Draft:
        """A request for two to four calls: written as one, or requests put behind one another."""
        if self.joint and rng.random() < 0.55:
            names = rng.choice(self.joint)
            draft = self.single(rng, names[0], rng.choice(self.patterns[names]))
            draft.kind = "parallel"
            return draft
        drafts = [self.single(rng) for _ in range(rng.choices((2, 3, 4), (0.76, 0.18, 0.06))[0])]
        if len({draft.kind for draft in drafts}) < len(drafts) and rng.random() < 0.6:
            raise Unusable("two calls of one operation are kept rarer")
        segments: Segments = []
        asked: Asked = []
        link = rng.choice(LINKS)
        for draft in drafts:
            if segments:
                segments += [Segment(_linked(link if rng.random() < 0.7 else rng.choice(LINKS), words(segments), rng))]
            segments += [Segment(s.text, s.arguments, tuple(c + len(asked) for c in s.calls)) for s in draft.request]
            asked += draft.asked
        return Draft(kind="parallel", origin=" ".join(draft.origin for draft in drafts), turns=[segments], asked=asked)

    def missing(self, rng: random.Random, written: float = 0.3) -> Draft:
        """A request that lacks something required, and the question back."""
        gaps = self.patterns.get(("missing",), ())
        if gaps and rng.random() < written:
            pattern = rng.choice(gaps)
            name = pattern.operations[0]
            draws = self.draw(rng, (name,))
            segments = list(filled(pattern, draws, 1))
            lacking = list(pattern.constants["missing"])
        else:
            name = self.operation(rng)
            usable = [pattern for pattern in self.patterns[(name,)] if pattern.drops]
            if not usable:
                raise Unusable(f"no pattern of {name} has a part to leave out")
            pattern = rng.choice(usable)
            draft = self.single(rng, name, pattern, leave_out=rng.randrange(pattern.drops))
            draws, segments = draft.draws, draft.request
            lacking = operations()[name].missing(join(draft.turns, draft.asked, [0])[2][0].arguments)
            if not lacking:
                raise Unusable("what was left out was optional")
        constants = {key: value for key, value in pattern.constants.items() if key != "missing"}
        return Draft(
            kind=f"missing.{name}",
            origin=pattern.place,
            turns=[segments],
            asked=[(operations()[name], constants)],
            reply=ask_for(name, lacking, rng),
            lacking=lacking,
            topic="missing",
            draws=draws,
        )

    def irrelevant(self, rng: random.Random) -> Draft:
        """A request that no tool answers, and what is said to it."""
        names = [names for names in self.patterns if names[0].startswith("irrelevant.")]
        sizes = [len(self.patterns[name]) for name in names]
        pattern = rng.choice(self.patterns[rng.choices(names, sizes)[0]])
        segments = list(filled(pattern, self.draw(rng, ()), 0))
        return Draft(
            kind=pattern.operations[0],
            origin=pattern.place,
            turns=[segments],
            asked=[],
            reply=rng.choice(pattern.replies),
        )

    # ---- how it is said

    def finish(self, draft: Draft, row: str, rng: random.Random) -> Example:
        """The example of a draft with one user turn."""
        turns = self.typed([self.surrounded(draft, rng)], rng)
        texts, spans, calls = join(turns, [] if draft.lacking else draft.asked, [0])
        said = (
            Message(role="assistant", calls=tuple(calls)) if calls else Message(role="assistant", content=draft.reply)
        )
        return Example(
            id=row,
            split=self.name,
            kind=draft.kind,
            origin=draft.origin,
            conversation=Conversation.of_request(texts[0]).then(said),
            spans=tuple(spans),
            results=run(calls, draft.asked),
        )

    def typed(self, turns: Sequence[Segments], rng: random.Random) -> list[Segments]:
        """The turns as one person types them: with slips, in lower case or capitals, or badly perturbed."""
        if self.split.style == "perturbed":
            return [perturb(turn, rng) for turn in turns]
        rate = rng.choices((0.0, 0.02, 0.08), (0.72, 0.18, 0.10))[0]
        turns = recase(turns, rng)
        if rate == 0.08 and rng.random() < 0.25:
            return [perturb(turn, rng) for turn in turns]
        return [with_typos(turn, rng, rate) for turn in turns]

    def surrounded(self, draft: Draft, rng: random.Random) -> Segments:
        """The request, now and then with a sentence before or after that gives no argument; sometimes with notes."""
        if self.split.style == "long":
            return self._within_notes(draft, rng, rng.randint(*LONG))
        if draft.topic != "missing" and rng.random() < 0.05:
            return self._within_notes(draft, rng, rng.randint(30, 200))
        segments = draft.request
        chance = 0.16 if draft.asked else 0.12
        for side in ("before", "after"):
            if rng.random() < chance:
                extra = self._sentence(f"distractor.{side}", draft, rng)
                segments = _put(extra, segments, side, rng)
        return segments

    def _within_notes(self, draft: Draft, rng: random.Random, tokens: int) -> Segments:
        """The request at the end, beginning or middle of a clinical note."""
        before, after = rng.choice(((1.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.5, 0.5)))
        gap = rng.choice((" ", " ", "\n"))
        segments: Segments = []
        for share, follows in ((before, False), (after, True)):
            if follows:
                segments += draft.request
                if share and not words(draft.request).rstrip().endswith((".", "?", "!", ":")):
                    segments.append(Segment(rng.choice((".", "?", "\n"))))
            length = 0.0
            while length < share * tokens:
                sentence = self._sentence("narrative", draft, rng)
                length += len(words(sentence)) / 3.2
                segments += [Segment(gap), *sentence] if follows else [*sentence, Segment(gap)]
        return segments

    def _sentence(self, heading: str, draft: Draft, rng: random.Random) -> Segments:
        """One sentence that gives no argument and does not answer what is missing."""
        headings = [(f"{heading}.any",)]
        if draft.topic not in ("any", "missing"):
            headings.append((f"{heading}.{draft.topic}",))
        shared = patterns_of("known")
        choices = [pattern for name in headings for pattern in shared.get(name, ())]
        draws = self.draw(rng, ())
        draws[0].chosen["drugs"] = list(draft.draws[0].chosen.get("drugs", ())) if draft.draws else []
        return list(filled(rng.choice(choices), draws, 0))

    # ---- whether it is sound

    def checked(self, example: Example) -> Example:
        """The example, if its calls were right, it fits, and it says nothing that is kept for another split.

        Raises `Unusable` otherwise.
        """
        conversation = example.conversation
        length = len(encode(conversation, self.tokenizer).ids)
        if length > self.context:
            raise Unusable(f"{length} tokens do not fit a context of {self.context}")
        calls = example.all_calls
        for message in conversation.messages:
            if len({json.dumps(call.to_json(), sort_keys=True) for call in message.calls}) != len(message.calls):
                raise Unusable(f"{example.request!r} asks for the same call twice")
        for call in calls:
            if (pair := nested(call)) is not None:
                raise Unusable(f"{pair[0]!r} stands inside {pair[1]!r}")
        if self.split.drugs == "known":
            text = "\n".join(message.content for message in conversation.messages)
            for generic in self.pool.catalogue.held_names(text):
                raise Unusable(f"mentions {generic}, which is kept for another split")
        if not self.split.number and not self.split.tool:
            for span in example.spans:
                key, value = span.pointer[1:], at(calls[span.call].arguments, span.pointer)
                if isinstance(value, int | float) and held_out_number(key, value):
                    raise Unusable(f"{key} {value} is kept for another split")
        if self.split.number:
            numbers = [(k, v) for call in calls for k, v in call.arguments.items() if isinstance(v, int | float)]
            if not any(held_out_number(key, value) for key, value in numbers):
                raise Unusable("no number that training never saw")
        names_drugs = any(span.pointer.startswith(("/drug", "/to_drug")) for span in example.spans)
        if (self.split.drugs != "known" or self.split.nonce) and not names_drugs:
            raise Unusable("no drug is named")
        check_spans(example)
        return example


def topic_of(names: Sequence[str]) -> str:
    """Which sentences may stand beside a request for these operations."""
    topics = {
        {"check_drug_interactions": "interactions", "read_patient_record": "record"}.get(name, "calculation")
        for name in names
    }
    return topics.pop() if len(topics) == 1 else "any"


def _put(extra: Segments, segments: Segments, side: str, rng: random.Random) -> Segments:
    gap = Segment(rng.choice((" ", " ", " ", "\n")))
    if side == "before":
        return [*extra, gap, *segments]
    stop = "" if words(segments).rstrip().endswith((".", "?", "!")) else rng.choice((".", ".", ",", "", " -"))
    return [*segments, Segment(stop), gap, *extra]


def _linked(link: str, before: str, rng: random.Random) -> str:
    """A link that goes with how the request before it ends."""
    ended = before.rstrip().endswith((".", "?", "!"))
    if link[0] in ".;," and ended:
        return " " + link[1:].lstrip()
    if link[0] == " " and not ended and link[1:2].isupper():
        return rng.choice((".", "?", ";", ",")) + link
    return link
