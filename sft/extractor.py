"""What rules alone can do: key words for what is asked, the tools' tables for names, regular expressions for numbers.

The anchor for a learned model, and an honest one: it knows every drug, brand, test and patient of the shipped tables,
counts a word that no training request uses as a name, reads numbers with their units (`sft.measures`), splits a request
that asks twice, asks for what is missing, and goes on with the reply. It does nothing with tools that it was not
written for.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import tools
from data.conversation import Call, Conversation, Message
from data.wire import Reply, call_json
from sft.measures import READERS, Found, measures
from sft.trace import Responder, Trace
from sft.turns import Turn

CALCULATIONS: Final[Mapping[str, str]] = {
    "bedside_schwartz": r"schwartz|pa?ediatric e?gfr|child\w*(?:'s)? e?gfr",
    "carboplatin_dose": r"carboplatin|calvert",
    "morphine_equivalents": r"\bmmes?\b|\bomes?\b|morphine (?:milligram )?equivalents?|oral morphine|how much morphine",
    "steroid_equivalence": r"equivalent (?:dose )?(?:of|in|to)|convert\w* .*(?:prednis|cortis|dexameth|betameth)",
    "loading_dose": r"loading dose|\bload\b|\bLD\b",
    "maintenance_dose": r"maintenance dose|\bclears\b|steady[- ]state|on average",
    "creatinine_clearance": r"\bcr\s?cl\b|creatinine clearance|cockcroft|\bC-?G\b|\bccr\b",
    "egfr": r"\be?gfrs?\b|ckd-?epi|glomerular",
    "body_surface_area": r"\bbsa\b|body surface|surface area",
    "body_mass_index": r"\bbmi\b|body mass|quetelet",
    "ideal_body_weight": r"\bibw\b|\badjbw\b|ideal (?:body )?weight|devine|adjusted (?:body )?weight|\babw\b",
    "corrected_calcium": r"(?:correct|adjust)\w* (?:the |for )?(?:ca\b|calcium|albumin)|(?:calcium|ca) correct"
    r"|correct\w* .*calcium|\bca\b.*\bcorrect|hypoalb",
    "qtc": r"\bqtc\w?\b|corrected qt|bazett|fridericia|correct\w* (?:the )?qt",
    "maintenance_fluids": r"maintenance (?:iv |intravenous )?(?:fluids?|rate)|\bmivf\b|4-2-1|holliday|iv maintenance"
    r"|hourly fluid",
    "unit_conversion": r"\bconvert\b|\bhow many (?:mg|mcg|g|kg|ml|l|lb|cm|kilos|pounds)\b"
    r"|\bin(?:to)? (?:mmol/l|mg/dl|µmol/l|umol/l|g/l)\b",
    "infusion_dose": r"(?:what|which) dose|dose (?:rate )?(?:is|does|am i|are we)|how much .*getting",
    "infusion_rate": r"ml\s*(?:/|per|an?)\s*h|infusion rate|pump rate|\bwhat rate|\brate for\b|\binfusion\b|\bdrip\b",
}
INTERACTION: Final = (
    r"interact|\bddis?\b|\bclash|\bcombin|\bmix|together|co-?(?:prescrib|admin)|alongside|contraindicat|compatib|"
    r"on top of|safe|\bscreen\b|\badd(?:ing|ed)?\b|\bstart(?:ed|ing)?\b|regimen|\bwith\b|\bok\b|okay|concern|bad idea"
)
DOSE: Final = r"\bdos(?:e|es|ing|age)\b|how much|\bcalculate\b|\bchart(?:ing)?\b|\bprescrib|mg/kg"
SECTIONS: Final[Mapping[str, str]] = {
    "demographics": r"demographics?|demographic (?:info\w*|details|data)|date of birth|\bdob\b|address"
    r"|(?:personal|basic|contact) details|how old",
    "conditions": r"conditions?|problem list|active problems|diagnos[ei]s|\bpmhx?\b|medical history|comorbidit\w+",
    "medications": r"medications?|\bmeds?\b|med list|drug (?:chart|list)|prescriptions?|\brx list|medicines|prescribed",
    "allergies": r"allerg\w+|sensitivit\w+|\bnkda\b|\badrs?\b",
    "labs": r"\blabs?\b|laborator\w+|lab ?work|blood ?work|(?:blood|test) (?:results|tests)|\bbloods\b",
    "vitals": r"vitals?|vital signs|\bobs\b|observations|\bvs\b",
    "encounters": r"encounters?|visits?|visit history|appointments?|admissions?|in hospital|been seen",
    "immunizations": r"immuni[sz]ations?|vaccin\w+|\bshots\b|\bjabs\b|\bimms\b",
    "procedures": r"procedures?|operations|\bops\b|surger\w+|surgical history",
}
ROUTES: Final = {
    "oral": r"\bpo\b|\borally\b|\boral\b|per os|by mouth",
    "intravenous": r"\biv\b|intravenous",
    "intramuscular": r"\bim\b|intramuscular",
    "subcutaneous": r"\bs/?c\b|subcut",
    "rectal": r"\bpr\b|rectal",
    "inhaled": r"inhal",
}
LATEST: Final = r"\b(?:latest|last|most recent|newest|current)\b"
SEVERITY: Final = {
    "contraindicated": r"only (?:the )?contraindicated|contraindications? only|any of these contraindicated",
    "major": r"\bmajor\b|\bserious\b|\bsevere\b",
    "moderate": r"\bmoderate\b|(?:leave out|ignore|skip|not) the minor",
}
OFF_LIMITS: Final = (
    r"ignore (?:all |your |the )?(?:previous |prior )?instruct|"
    r"\b(?:all|every|each)\b[^.?!]{0,24}\b(?:patients?|records?)\b|\bdelete\b|\bexport\b|password|\bkill\b|suicid|"
    r"poison|mechanism|\bwho (?:invented|discovered)|guideline|side effect|"
    r"^\W*(?:what is an?|what does|explain|why|how do)\b|normal range|\bnormal\b.*\?|\bbook\b|anion gap"
)
ITEMS: Final[Mapping[str, str]] = {
    "drugs": "the names of the drugs", "drug": "the drug", "age": "the age", "sex": "the sex",
    "weight": "the weight", "height": "the height", "creatinine": "the serum creatinine",
    "dose": "the dose", "concentration": "the concentration",
    "calcium": "the calcium", "albumin": "the albumin", "qt_ms": "the QT interval", "heart_rate": "the heart rate",
    "patient": "the patient's name", "sections": "the part of the record", "frequency": "how often it is given",
    "rate": "the rate of the pump", "target_auc": "the target AUC", "creatinine_clearance": "the creatinine clearance",
}  # fmt: skip
_LINK = (
    r"(?:[.?;!]\s+|\n+|\s+(?=\d\)\s)|,?\s+(?=(?:also|and also|and then|then|plus|next|second|separately|and separately|"
    r"in addition|after that)\b[,:]?\s))"
)
_WORD = re.compile(r"[A-Za-zÀ-ÿ][\w'’.-]*\w|[A-Za-zÀ-ÿ]")
_ID = re.compile(
    r"\b((?:mrn|pt|patient)-\d+)\b|(?:\b(?:mrn|record|patient(?: id)?|pt|id|no\.?|number)[\s:#]*|#\s?)"
    r"((?:\d{3} \d{3} \d{3,4}|[A-Za-z]*\d[\w-]{2,}))|\b(\d{6,}|[A-Z]{1,4}\d{3,}|\d{2,3}-\d{2,3}-\d{3,4})\b",
    re.IGNORECASE,
)
_DATE = r"(\d{4}-\d\d-\d\d)"


class Rules:
    """The rules, with the words that training requests use outside of arguments: all others are names."""

    def __init__(self, train: Sequence[Turn] = ()) -> None:
        self.ordinary = {
            word.lower() for turn in train for text in _between_spans(turn) for word in _WORD.findall(text)
        }
        names = {n for drug in tools.drug_names() for n in (drug.generic, *drug.brands, *drug.aliases) if len(n) > 2}
        self.drugs = _gazetteer(names - {"ddI"})  # didanosine, but "DDI" asks for drug-drug interactions
        self.tests = {n: test.section for test in tools.lab_names() for n in (test.name, *test.aliases, *test.loinc)}
        self.test_names = _gazetteer(n for n in self.tests if len(n) > 1)
        self.sections = {name.lower(): section for name, section in self.tests.items()}
        self.people = _gazetteer(n for p in tools.patients() for n in (p.name, p.id, p.mrn))
        self.indications = _gazetteer({n for r in tools.regimen_drugs() for n in (r.indication, *r.also) if len(n) > 3})
        self.required = {
            branch["properties"]["calculation"]["const"]: branch
            for branch in tools.argument_schemas()["calculate_dose"]["oneOf"]
        }

    def __call__(self, conversation: Conversation) -> Trace:
        messages = conversation.messages
        if conversation.tools:
            return _say("I have no tool for that.")
        if messages[-1].role == "tool":
            return self.go_on(messages)
        return self.decide(messages)

    # ---- what is asked

    def decide(self, messages: Sequence[Message]) -> Trace:
        """Calls, a question, or words."""
        said = [m.content for m in messages if m.role == "user"]
        request, reply = said[0], " ".join(said[1:])
        told = self.reply(messages, reply) if reply else {}
        if re.search(OFF_LIMITS, request, re.IGNORECASE):
            return _say("I can't help with that.")
        parts = [request] if reply else [part for part in re.split(_LINK, request) if part.strip()]
        drafts = [draft for part in parts for draft in self.drafts(part, told)]
        shared = {**measures(request), **told}
        drafts = [self.completed(draft, shared) for draft in drafts]
        whole = list(self.drafts(request, told))
        complete = [d for d in drafts if not d[1]]
        chosen = complete if len(complete) > len([d for d in whole if not d[1]]) else whole
        calls = tuple({call_json(call): call for call, lacking in chosen if not lacking}.values())
        if calls:
            text = " ".join(map(call_json, calls))
            return Trace(reply=Reply(outcome="calls", calls=calls[:4], text=text, stopped=True))
        if chosen:
            items = [ITEMS.get(key, "the " + key.replace("_", " ")) for key in chosen[0][1]]
            return _say(f"Could you give me {', '.join(items)}?")
        return _say("I can check drug interactions, calculate doses and read patient records.")

    def completed(self, draft: tuple[Call, list[str]], shared: Found) -> tuple[Call, list[str]]:
        """A calculation of one part of a request, with what the other parts say of the patient."""
        call, lacking = draft
        if call.name != "calculate_dose" or not lacking:
            return draft
        drugs = [call.arguments["drug"]] if "drug" in call.arguments else []
        return self.calculation(call.arguments["calculation"], {**shared, **call.arguments}, drugs)

    def drafts(self, text: str, told: Found) -> Iterator[tuple[Call, list[str]]]:
        """Calls that a text asks for, with what each still lacks."""
        found = {**measures(text), **told}
        record = self.record(text, told)
        person = record[0].arguments["patient"] if record else ""
        drugs = [name for name in self.drug_names(text) if name not in person]
        drugs += [name for name in told.get("drugs", ()) if name not in text]
        named = [name for name, words in CALCULATIONS.items() if re.search(words, text, re.IGNORECASE)]
        if "concentration" not in found and "infusion_rate" in named and not re.search("ml", text, re.I):
            named.remove("infusion_rate")
        stored = [c for c in record[0].arguments.get("codes", ()) if self.sections.get(c.lower())] if record else []
        kept = record and person and (stored or "medications" in record[0].arguments["sections"])
        if record and kept and named and self.calculation(named[0], found, drugs)[1]:
            # The record comes first, then what is done with it.
            yield Call(name="read_patient_record", arguments={**record[0].arguments, "latest_only": True}), []
            return
        if named and not (named == ["infusion_dose"] and "rate" not in found):
            dose_wanted = "infusion_dose" in named and "rate" in found
            named = ["infusion_dose"] if dose_wanted else [n for n in named if n != "infusion_dose"]
            short = [n for n in named if n in ("creatinine_clearance", "egfr")]
            doses = drugs and {"age", "weight", "creatinine_clearance"} <= found.keys() and "creatinine" not in found
            if not (short == named and doses):
                for name in named[:1] if named[0] in ("infusion_rate", "morphine_equivalents") else named[:2]:
                    yield self.calculation(name, found, drugs)
                return
        if "dose_unit" in found and "/" in found["dose_unit"] and ("weight" in found or "height" in found):
            yield self.calculation("infusion_rate" if "concentration" in found else "dose_by_size", found, drugs)
            return
        asks = re.search(INTERACTION, text, re.IGNORECASE)
        firm = re.search(r"interact|\bddis?\b|\bclash", text, re.IGNORECASE)
        if record is not None and not (firm and drugs) and (person or not drugs):
            yield record
        elif (self.asks_dose(text, found, drugs) or (drugs and {"age", "weight"} <= found.keys())) and not firm:
            yield self.calculation("drug_dose", found | self.indication(text), drugs)
        elif (asks and drugs) or len(drugs) > 1 or firm:
            yield self.interactions(text, drugs)

    @staticmethod
    def asks_dose(text: str, found: Found, drugs: Sequence[str]) -> bool:
        """Whether a text that speaks of a dose has no other tool's question in it."""
        if not re.search(DOSE, text, re.IGNORECASE):
            return False
        return bool(drugs and "age" in found and "weight" in found) or (len(drugs) < 2 and bool(found or drugs))

    # ---- the three tools

    def interactions(self, text: str, drugs: Sequence[str]) -> tuple[Call, list[str]]:
        arguments: dict[str, Any] = {"drugs": list(drugs)}
        for severity, words in SEVERITY.items():
            if re.search(words, text, re.IGNORECASE):
                arguments["min_severity"] = severity
                break
        if re.search(r"\bfoods?\b|herbal|diet|\beat\b|supplement", text, re.IGNORECASE):
            arguments["include_food_herbal"] = True
        return Call(name="check_drug_interactions", arguments=arguments), [] if drugs else ["drugs"]

    def calculation(self, name: str, found: Found, drugs: Sequence[str]) -> tuple[Call, list[str]]:
        schema = self.required[name]
        have = {**found, "calculation": name, **({"drug": drugs[0]} if drugs else {})}
        have |= {"to_drug": drugs[1]} if len(drugs) > 1 and name == "steroid_equivalence" else {}
        if name in ("morphine_equivalents", "steroid_equivalence") and "amount" in found:
            have |= {"dose": found["amount"], "dose_unit": found["amount_unit"]}
        if name in ("loading_dose", "maintenance_dose") and "level_unit" in found:
            have["concentration_unit"] = found["level_unit"]
        if name == "loading_dose" and not str(found.get("volume_unit")).endswith("/kg"):
            have.pop("weight", None)
        if name == "maintenance_dose" and not str(found.get("clearance_unit")).endswith("/kg"):
            have.pop("weight", None)
        if name in ("infusion_rate", "dose_by_size") and "kg" not in str(have.get("dose_unit")):
            have.pop("weight", None)
        keys = {k: v for k, v in have.items() if k in schema["properties"] and _allowed(schema["properties"][k], v)}
        for key in ("weight", "height", "dose", "concentration", "creatinine"):
            if key not in keys and key in schema["properties"]:
                keys.pop(f"{key}_unit", None)
        needed = [k for k in schema["required"] if k not in keys]
        if "kg" in str(keys.get("dose_unit")) and "weight" not in keys and "weight" in schema["properties"]:
            needed.append("weight")
        lacking = [key for key in needed if not key.endswith("_unit") or key[:-5] not in needed]
        ordered = {key: keys[key] for key in schema["properties"] if key in keys}
        return Call(name="calculate_dose", arguments=ordered), lacking

    def record(self, text: str, told: Found) -> tuple[Call, list[str]] | None:
        codes = [m for m in self.test_names.findall(text) if len(m) > 2 or m.isupper() or m in self.tests]
        codes += re.findall(r"\b\d{3,5}-\d\b", text)
        found = {name: re.search(rf"\b(?:{words})", text, re.IGNORECASE) for name, words in SECTIONS.items()}
        sections = [name for _, name in sorted((match.start(), name) for name, match in found.items() if match)]
        if not codes and not sections:
            return None
        person = told.get("patient") or self.person(text, {*codes, *self.drugs.findall(text)})
        lookup = re.search(
            r"\b(?:show|pull|get|fetch|open|look up|latest|last|most recent|newest|record|chart|history|list|what|"
            r"trend|see|let me|need|any|has|have|since|results?)\b|\?|:",
            text,
            re.IGNORECASE,
        )
        if person is None and not lookup:
            return None
        arguments: dict[str, Any] = {"patient": person or ""}
        if codes:
            arguments["sections"] = list(dict.fromkeys(self.sections.get(code.lower(), "labs") for code in codes))
            arguments["codes"] = list(dict.fromkeys(codes))
        else:
            arguments["sections"] = sections
        dates = {"from": "since|from|after", "to": "until|till|to|through|before|up to", "as_of": "as of|as at|on"}
        for key, words in dates.items():
            match = re.search(rf"\b(?:{words}) {_DATE}", text, re.IGNORECASE)
            if match:
                arguments[key] = match[1]
        match = re.search(
            r"\b(?:last|latest|most recent|first)\s+(\d{1,2})\b|\blimit(?: of)? (\d{1,2})\b", text, re.IGNORECASE
        )
        if match:
            arguments["limit"] = int(match[1] or match[2])
        active = re.search(r"\b(?:(in)?active|current|on now|right now)\b", text, re.IGNORECASE)
        if active and set(sections) & {"conditions", "medications", "allergies"} and not codes:
            arguments["status"] = "inactive" if active[1] else "active"
        elif codes and re.search(LATEST, text, re.IGNORECASE):
            arguments["latest_only"] = True
        order = tools.argument_schemas()["read_patient_record"]["properties"]
        ordered = {key: arguments[key] for key in order if key in arguments}
        return Call(name="read_patient_record", arguments=ordered), [] if person else ["patient"]

    # ---- names

    def drug_names(self, text: str) -> list[str]:
        """Names of the drug table, and words that belong to nothing else, in their order."""
        spans = [(m.start(), m.group(1)) for m in self.drugs.finditer(text)]
        taken = " ".join(name.lower() for _, name in spans)
        for match in _WORD.finditer(text):
            word = match[0].rstrip(".-'’")
            strange = len(word) > 4 and word.isalpha() and self.ordinary and word.lower() not in self.ordinary
            if strange and word.lower() not in taken and not self.people.search(word):
                spans.append((match.start(), word))
        names = [name for _, name in sorted(spans)]
        return list({name.lower(): name for name in reversed(names)}.values())[::-1]

    def person(self, text: str, others: set[str]) -> str | None:
        """A patient by id, a known name, or capitalised or strange words in a row."""
        match = self.people.search(text) or _ID.search(text)
        if match:
            return str(next(filter(None, match.groups())))
        known = {word.lower() for other in others for word in other.split()}
        words = text.split()
        for i, word in enumerate(words):
            run = [word]
            while self.is_name(run[-1], known) and i + len(run) < len(words) and run[-1][-1] not in ".?!:;":
                run.append(words[i + len(run)])
            if not self.is_name(run[-1], known):
                run.pop()
            if len(run) > 1 or (run and words[i - 1].lower() in ("pt", "patient", "mr", "mrs", "miss", "ms", "for")):
                title = (
                    words[i - 1] + " " if i and words[i - 1].lower().strip(".") in ("mr", "mrs", "miss", "ms") else ""
                )
                return title + re.sub(r"['’][sS]$", "", " ".join(run).rstrip(".,?!:;"))
        return None

    def is_name(self, word: str, known: set[str]) -> bool:
        """Whether a word can be part of a person's name: it is capitalised or strange, and nothing else."""
        bare = re.sub(r"['’][sS]$", "", word.strip(",.?!:;")).lower()
        if not bare or not bare[0].isalpha() or bare in known or bare in self.ordinary or self.drugs.fullmatch(bare):
            return False
        return bool(self.ordinary) or word[0].isupper()

    def indication(self, text: str) -> Found:
        match = self.indications.search(text)
        route = next(({"route": name} for name, words in ROUTES.items() if re.search(words, text, re.IGNORECASE)), {})
        return route | ({"indication": match[1]} if match else {})

    # ---- later turns

    def reply(self, messages: Sequence[Message], text: str) -> Found:
        """What a reply gives, read for what was asked."""
        question = next((m.content for m in reversed(messages) if m.role == "assistant" and not m.calls), "")
        found = measures(text)
        for key, read in READERS.items():
            if re.search(rf"\b{ITEMS[key].split()[-1]}\b", question, re.IGNORECASE) and key not in found:
                found |= read(text)
        if re.search(r"patient|whose", question, re.IGNORECASE) and (
            who := self.person(text, set()) or _last_words(text)
        ):
            found["patient"] = who
        drugs = self.drug_names(text)
        return found | ({"drugs": drugs, "drug": drugs[0]} if drugs else {})

    def go_on(self, messages: Sequence[Message]) -> Trace:
        """After a result: the calculation or check that it was wanted for, or the answer."""
        result = json.loads(messages[-1].content)
        last = next(m.calls[-1] for m in reversed(messages) if m.calls)
        request = next(m.content for m in messages if m.role == "user")
        if last.name == "read_patient_record" and result.get("status") == "ok":
            found = _record_values(result)
            for name, words in CALCULATIONS.items():
                if re.search(words, request, re.IGNORECASE):
                    call, lacking = self.calculation(name, found, [])
                    if not lacking:
                        return Trace(reply=Reply(outcome="calls", calls=(call,), text=call_json(call), stopped=True))
        return _say(_told(last, result))


def extractor(train: Sequence[Turn] = ()) -> Responder:
    """The rules as a responder. Without training dialogues, only names of the tables are names."""
    return Rules(train)


def _say(text: str) -> Trace:
    return Trace(reply=Reply(outcome="text", text=text, stopped=True))


def _gazetteer(names: Any) -> re.Pattern[str]:
    ordered = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, ordered))})(?![\w-])", re.IGNORECASE)


def _between_spans(turn: Turn) -> Iterator[str]:
    """What a turn's last user message says outside of arguments."""
    index = max((i for i, m in enumerate(turn.prompt.messages) if m.role == "user"), default=0)
    text, at = turn.prompt.messages[index].content, 0
    for span in sorted((s for s in turn.example.spans if s.message == index), key=lambda s: s.start):
        yield text[at : span.start]
        at = max(at, span.end)
    yield text[at:]


def _allowed(schema: Mapping[str, Any], value: Any) -> bool:
    return "enum" not in schema or value in schema["enum"]


def _last_words(text: str) -> str:
    words = re.sub(r"(?i)\b(?:sorry|it'?s|it is|pt|patient|mrn|thanks|please|for|the)\b[,:]?|[.!]+$", " ", text).split()
    return " ".join(words).strip(" ,.")


def _record_values(result: Mapping[str, Any]) -> Found:
    found: Found = {}
    for entry in (e for part in result.values() if isinstance(part, list) for e in part if isinstance(e, dict)):
        key = str(entry.get("name", "")).removeprefix("body ")
        if "value" in entry and key in ("weight", "height", "creatinine", "calcium", "albumin"):
            found |= {key: entry["value"], f"{key}_unit": entry.get("unit")}
    patient = result.get("patient", {})
    return found | {key: patient[key] for key in ("age", "age_unit", "sex") if key in patient}


def _told(call: Call, result: Mapping[str, Any]) -> str:
    """A result in a sentence."""
    if result.get("status") == "refused":
        return str(result.get("message"))
    lines = [
        f"{e['drugs']}: {e['severity']}, {e['effect']}. {e['management']} ({e['source']})"
        for e in result.get("interactions", ())
    ]
    if result.get("screened"):
        lines.append(f"No interaction listed for {', '.join(result['screened'])}.")
    lines += [f"{e['drug']} is not in the database and was not screened." for e in result.get("not_screened", ())]
    if "value" in result:
        title = str(call.arguments.get("calculation", "")).replace("_", " ")
        if "drug" in result:
            title = f"{result['drug']} for {result.get('indication', 'this')}"
        how = ", ".join(str(result[key]) for key in ("route", "frequency") if key in result)
        parts = [f"{title}: {result['value']} {result.get('unit', '')} {how}. {result.get('step', '')}."]
        parts += [f"Applied: {'; '.join(result['applied'])}."] if result.get("applied") else []
        parts += [f"{k.replace('_', ' ')}: {v}." for k, v in result.get("other_values", {}).items()]
        lines.append(" ".join([*parts, result.get("warning", ""), f"({result.get('source')})"]))
    for section, entries in result.items():
        if isinstance(entries, list) and call.name == "read_patient_record" and section != "notes":
            told = (f"{e.get('name')} {e.get('value', '')} {e.get('unit', '')} on {e.get('date', '')}" for e in entries)
            lines.append(f"{section} ({len(entries)}): " + "; ".join(told))
    return " ".join(lines) or "There is nothing."
