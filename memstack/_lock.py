"""The lock of everything that threads share here and change in a few steps.

One is enough, since nobody waits while it is held. What takes longer has a lock of its own, made
here too: a fork waits for each and finds it free, so that no child hangs on a lock whose holder it
has not inherited.
"""

from __future__ import annotations

import os
import threading


def lock_across_forks() -> threading.Lock:
    """A lock that a fork takes first; of two, before the one that was made earlier."""
    lock = threading.Lock()
    if hasattr(os, "register_at_fork"):  # Windows has no fork
        os.register_at_fork(
            before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release
        )
    return lock


LOCK = lock_across_forks()
