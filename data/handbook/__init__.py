"""The built-in textbook: an original handbook of clinical pharmacology, its chapters in Markdown and its typeset PDF.

Written for this project as training text. It is not clinical advice.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
CHAPTERS = FOLDER / "chapters"
REFERENCES = FOLDER / "references"
HANDBOOK_PDF = FOLDER / "handbook.pdf"

__all__ = ["CHAPTERS", "FOLDER", "HANDBOOK_PDF", "REFERENCES"]
