"""The errors that are told to a person as one sentence, without a traceback."""


class ToldError(Exception):
    """Something that was asked for and cannot be had; the message says to the person who asked what and why."""
