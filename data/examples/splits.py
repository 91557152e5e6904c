"""The splits: what each draws from, what it asks for, and how often each kind of dialogue comes up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from data.examples.entities import Newness

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "check_drug_interactions": 0.30,
        "read_patient_record": 0.25,
        "drug_dose": 0.075,
        "creatinine_clearance": 0.045,
        "egfr": 0.035,
        "body_surface_area": 0.025,
        "body_mass_index": 0.025,
        "ideal_body_weight": 0.025,
        "infusion_rate": 0.03,
        "corrected_calcium": 0.02,
        "qtc": 0.02,
        "maintenance_fluids": 0.015,
        "bedside_schwartz": 0.02,
        "dose_by_size": 0.03,
        "carboplatin_dose": 0.012,
        "morphine_equivalents": 0.02,
        "steroid_equivalence": 0.018,
        "loading_dose": 0.015,
        "maintenance_dose": 0.015,
        "infusion_dose": 0.02,
        "unit_conversion": 0.03,
    }
)
"""How often each operation is asked for, of the requests for one call."""
TOOLS: Final = ("check_drug_interactions", "read_patient_record")
CALCULATIONS: Final = tuple(name for name in WEIGHTS if name not in TOOLS)
MIX: Final[Mapping[str, float]] = MappingProxyType(
    {
        "single": 0.56,
        "parallel": 0.09,
        "missing": 0.08,
        "continue": 0.05,
        "confirm": 0.02,
        "irrelevant": 0.11,
        "answer": 0.03,
        "chain": 0.03,
        "own_tool": 0.03,
    }
)
"""How often each kind of dialogue comes up in training and in the splits that hold every kind."""


@dataclass(frozen=True, kw_only=True)
class Split:
    """What a split draws from, and what it asks for.

    drugs: which drugs; nonce, patient, number, pattern, voice, tool: whether it uses only ones that training
    never saw; operations: the only ones asked for (all when empty); mix: the kinds of dialogue; style: how the
    requests are changed, see `RowMaker`.
    """

    drugs: Newness = "known"
    nonce: bool = False
    patient: bool = False
    number: bool = False
    pattern: bool = False
    voice: bool = False
    tool: bool = False
    operations: tuple[str, ...] = ()
    mix: Mapping[str, float] = field(default_factory=lambda: MIX)
    style: str = ""


SINGLE: Final[Mapping[str, float]] = MappingProxyType({"single": 1.0})
# `chain` and `own_tool` are written from templates of their own, so splits of new phrasings leave them out.
PHRASED: Final[Mapping[str, float]] = MappingProxyType({"single": 0.80, "missing": 0.07, "irrelevant": 0.13})
NAMING_DRUGS: Final = (
    "check_drug_interactions", "check_drug_interactions", "drug_dose", "dose_by_size", "infusion_rate", "infusion_dose",
)  # fmt: skip
SPLITS: Final[Mapping[str, Split]] = MappingProxyType(
    {
        "train": Split(),
        "iid": Split(),
        "new_drug": Split(drugs="new_drug", operations=NAMING_DRUGS, mix=SINGLE),
        "new_stem": Split(drugs="new_stem", operations=NAMING_DRUGS, mix=SINGLE),
        "nonce_drug": Split(nonce=True, operations=(*NAMING_DRUGS, "morphine_equivalents"), mix=SINGLE),
        "new_patient": Split(patient=True, operations=("read_patient_record",), mix=SINGLE),
        "new_number": Split(number=True, operations=CALCULATIONS, mix=SINGLE),
        "new_template": Split(pattern=True, mix=PHRASED),
        "new_phrasing": Split(voice=True, mix=PHRASED),
        "new_tool": Split(tool=True, mix=MappingProxyType({"own_tool": 1.0})),
        "long_context": Split(
            style="long", mix=MappingProxyType({"single": 0.75, "missing": 0.10, "irrelevant": 0.15})
        ),
        "perturbed": Split(style="perturbed"),
        "parallel": Split(mix=MappingProxyType({"parallel": 1.0})),
        "irrelevance": Split(mix=MappingProxyType({"irrelevant": 1.0})),
        "missing": Split(mix=MappingProxyType({"missing": 0.7, "continue": 0.3})),
    }
)
