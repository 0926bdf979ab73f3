"""The heap: memory that a process frees is kept, so that the next step need not ask for it again.

A step of training frees as much as it takes. The C library gives large pieces back to the system, which clears every
page again when it is asked for the next time: for an importance-weighted autoencoder of 50 draws that was a third of a
step. A freed piece stays with the process, too, as long as one behind it is in use. All this holds for the whole
process and cannot be undone, so that commands do it, and functions do not: a script or notebook of your own may call
`keep_freed()` once.
"""

from __future__ import annotations

import ctypes
import sys

KEPT_MB = 512
"""Free memory at the heap's end that is kept."""
LARGE_MB = 32
"""From this size on a piece is mapped by itself and given back at once, as before; old libraries refuse more."""
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters' numbers in <malloc.h>."""


def keep_freed() -> bool:
    """Keep freed memory, where the C library is GNU's, whatever its own variables say; gives whether it is kept."""
    try:
        mallopt = ctypes.CDLL(None).mallopt if sys.platform == "linux" else None
    except (OSError, AttributeError):  # another C library
        mallopt = None
    if mallopt is None:
        return False
    # Setting either parameter ends the adaptation of both, so that both are set or neither.
    return bool(mallopt(_MMAP_THRESHOLD, LARGE_MB << 20)) and bool(mallopt(_TRIM_THRESHOLD, KEPT_MB << 20))
