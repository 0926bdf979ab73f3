"""Every error that we raise on purpose.

    UntaughtError
    ├── InputError            something the user gave is wrong: the command line prints it and exits with 2
    │   ├── ConfigError       a field is unknown, misspelt or out of range
    │   ├── DataError         a source is missing, broken, or not what the model needs
    │   ├── RunError          a run folder is missing, taken, or holds what it should not
    │   └── SizeError         an image size cannot work, or the job does not fit into memory
    └── TrainingError         training went wrong: exits with 1
        └── NotFiniteError    a loss became infinite or not a number

A message is at most three lines: what is wrong, naming the culprit, and what would be right.
"""


class UntaughtError(Exception):
    """The root: catch this to catch everything that we raise on purpose."""


class InputError(UntaughtError):
    """Something the user gave is wrong."""


class ConfigError(InputError):
    """A field is unknown, misspelt or out of range."""


class DataError(InputError):
    """A source is missing, broken, or not what the model needs."""


class RunError(InputError):
    """A run folder is missing, taken, or holds what it should not."""


class SizeError(InputError):
    """An image size cannot work, or the job does not fit into memory."""


class TrainingError(UntaughtError):
    """Training went wrong; the last good checkpoint stays."""


class NotFiniteError(TrainingError):
    """A loss became infinite or not a number."""
