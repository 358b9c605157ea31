"""The lock of everything that threads share here and change in a few steps.

One is enough, since nobody waits while it is held; and a fork finds it free, so that no child
hangs on a lock whose holder it has not inherited.
"""

from __future__ import annotations

import os
import threading

LOCK = threading.Lock()

if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(
        before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release
    )
