"""Corrections of measured values: calcium for albumin, the QT interval for heart rate."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from tools.dosing.answer import Answer
from tools.dosing.plausible import within
from tools.dosing.quantity import rounded, show, significant

_TENTH = Decimal("0.1")


def corrected_calcium(arguments: Mapping[str, Any]) -> Answer:
    """Albumin-corrected calcium in mg/dL, reference albumin 4 g/dL."""
    calcium_hint = f"{arguments['calcium']:g} mmol/L" if arguments["calcium"] < 4 else ""
    albumin_hint = f"{arguments['albumin']:g} g/L" if arguments["albumin"] > 7 else ""
    calcium = within(arguments, "calcium", "mg/dL", "4", "20", calcium_hint)
    albumin = within(arguments, "albumin", "g/dL", "0.5", "7", albumin_hint)
    corrected = calcium + Decimal("0.8") * (4 - albumin)
    return Answer(
        calculation="corrected_calcium",
        value=rounded(corrected, _TENTH),
        unit="mg/dL",
        formula="corrected calcium = calcium + 0.8 × (4 - albumin)",
        inputs={"calcium_mg_dl": calcium, "albumin_g_dl": albumin},
        steps=(f"{show(calcium)} + 0.8 × (4 - {show(albumin)}) = {show(corrected)} mg/dL",),
        warnings=("Ionised calcium is the better test in critical illness.",),
        source="Payne et al., BMJ 1973;4:643",
    )


def qtc(arguments: Mapping[str, Any]) -> Answer:
    """Heart-rate-corrected QT interval in ms by Bazett (default) or Fridericia."""
    hint = f"{arguments['qt_ms'] * 1000:g} ms" if arguments["qt_ms"] < 1 else ""
    interval = within(arguments, "qt_ms", "ms", "150", "900", hint)
    rate = within(arguments, "heart_rate", "beats/min", "20", "300")
    seconds = 60 / rate
    if arguments.get("formula", "bazett") == "bazett":
        corrected = interval / seconds.sqrt()
        formula, root = "QTc = QT / RR^(1/2), RR = 60 / heart_rate (Bazett)", "sqrt"
        source = "Bazett, Heart 1920;7:353"
    else:
        corrected = interval / seconds ** (Decimal(1) / Decimal(3))
        formula, root = "QTc = QT / RR^(1/3), RR = 60 / heart_rate (Fridericia)", "cube root"
        source = "Fridericia, Acta Med Scand 1920;53:469"
    value = rounded(corrected, Decimal(1))
    warnings = []
    if root == "sqrt" and not 60 <= rate <= 100:
        warnings.append("Bazett overcorrects outside 60 to 100 beats/min; consider Fridericia.")
    return Answer(
        calculation="qtc",
        value=value,
        unit="ms",
        formula=formula,
        inputs={"qt_ms": interval, "heart_rate": rate, "rr_s": significant(seconds)},
        steps=(
            f"RR = 60 / {show(rate)} = {show(seconds)} s",
            f"{show(interval)} / {root}({show(seconds)}) = {show(corrected)} ms",
        ),
        applied=(_band(value),),
        warnings=tuple(warnings),
        source=f"{source}; limits: AHA/ACCF/HRS, J Am Coll Cardiol 2009;53:982",
    )


def _band(milliseconds: Decimal) -> str:
    if milliseconds >= 500:
        return "500 ms or more: high risk of torsades"
    if milliseconds >= 460:
        return "prolonged (limit 450 ms for men, 460 ms for women)"
    if milliseconds >= 450:
        return "prolonged for men (limit 450 ms), not for women (limit 460 ms)"
    return "not prolonged (limit 450 ms for men, 460 ms for women)"
