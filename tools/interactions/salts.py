"""Salt and ester names, set aside when a written name is compared with the names of drugs.

The common ones live in `tools.text`; these are the further ones that stand beside active ingredients in FDA's NDC
Directory.
"""

from __future__ import annotations

from tools import text

_WORDS = """
acetonide alafenamide anhydrous aspartate benzathine benzoate besilate butyrate bromide camsylate caproate
carbamate chloride cypionate decanoate diethylamine dimesylate dipivoxil dipotassium dipropionate disodium
ditosylate edisylate enanthate epolamine erbumine esylate ethanolate ethylsuccinate etabonate fosamil furoate
gluconate glucuronate hemifumarate hemihydrate hemipentahydrate heptahydrate hippurate hyclate isethionate
kamedoxomil lactate lactobionate lysine mandelate medocaril meglumine mesilate methylbromide methylsulfate
monosodium mononitrate napsylate nicotinate olamine orotate oxalate palmitate pegol pentahydrate pidolate
pivoxil polistirex procaine propanediol propionate proxetil resinate s saccharate sesquihydrate solvate stearate
sulfoxide tosylate trifenatate trisodium undecanoate unspecified valerate xinafoate
"""
SALTS = frozenset(_WORDS.split())


def bare(name: str) -> str:
    """The lookup key of ``name`` without strength, form or any salt; empty when nothing else is left."""
    return " ".join(word for word in text.without_salt(name).split() if word not in SALTS)
