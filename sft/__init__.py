"""Fine-tuning on tool calls, and the judge of the result."""

from __future__ import annotations

from sft.errors import NothingToScore, PromptTooLong, SFTError

__all__ = ["NothingToScore", "PromptTooLong", "SFTError"]
