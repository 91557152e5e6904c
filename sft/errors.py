"""What fine-tuning and evaluation refuse.

SFTError
├── NothingToScore     there are no examples, or one holds no assistant turn
├── UnreadableItem     an item of another test set that cannot be read
└── PromptTooLong      a conversation leaves no room for an answer in the model's context
"""


class SFTError(Exception):
    """Base of the errors of this package."""


class NothingToScore(SFTError):
    """There is no example to judge a model on."""


class UnreadableItem(SFTError):
    """An item of another test set is of a form or a type that is not supported."""


class PromptTooLong(SFTError):
    """A conversation fills the context, so that no answer fits behind it."""
