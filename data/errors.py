"""Every error this package raises on purpose, under one base so that a caller can catch them all."""


class DataError(Exception):
    """Something about the user's files or configuration; the message says where, what and what to do next."""


class TokenizerError(DataError):
    """GPT-2's ranks could not be found, or are not the published ones."""


class CorpusError(DataError):
    """The corpus is missing, unreadable, malformed, empty or too short for the window asked for."""


class ConversationError(DataError):
    """A conversation, message or call is not of the expected form."""


class WireError(DataError):
    """A conversation cannot be rendered as tokens, or tokens do not spell a conversation."""


class ExamplesError(DataError):
    """A dialogue could not be generated, checked or stored."""
