"""Files of which some pages are overwritten, zeroed or cut off, and what a client says of them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from memstack import MemStackClient, MemStackError

PAGE = 4096


def run_damage(folder: Path, files: int) -> Counter[str]:
    """How often *files* damaged files were refused, told of at use, or not noticed.

    What must not be is in the Counter too: a bare 500, a retry, a byte changed by opening and
    reading, or anything that is no MemStackError.
    """
    good = folder / "good.db"
    with MemStackClient.local(good) as client:
        for n in range(150):
            text = f"Alice hikes number {n} " * random.Random(n).randint(1, 200)
            client.create_episode(f"e{n}", text, group_id=f"g{n % 7}", metadata={"n": n})
        for n in range(60):
            client.create_memo(f"memo {n} " * random.Random(n).randint(1, 900), tags=["a"])
    data = good.read_bytes()
    told: Counter[str] = Counter()
    for seed in range(files):
        path = folder / f"{seed}.db"
        path.write_bytes(_damaged(data, random.Random(seed)))
        told[_fate(path)] += 1
        for item in folder.glob(f"{seed}.db*"):
            item.unlink()
    return told


def _damaged(data: bytes, lots: random.Random) -> bytes:
    kind = lots.choice(["garbage", "zeros", "bytes", "cut", "header"])
    if kind == "cut":
        return data[: lots.randrange(1, len(data))]
    damaged = bytearray(data)
    if kind == "header":
        for _ in range(lots.randint(1, 100)):
            damaged[lots.randrange(100)] = lots.randrange(256)
        return bytes(damaged)
    for _ in range(lots.randint(1, 6)):
        place = lots.randrange(len(data) // PAGE) * PAGE
        if kind == "garbage":
            damaged[place : place + PAGE] = lots.randbytes(PAGE)
        elif kind == "zeros":
            damaged[place : place + PAGE] = bytes(PAGE)
        else:
            for _ in range(20):
                damaged[place + lots.randrange(PAGE)] = lots.randrange(256)
    return bytes(damaged)


def _fate(path: Path) -> str:
    before = path.read_bytes()
    try:
        client = MemStackClient.local(path)
    except MemStackError:
        beside = [item.name for item in path.parent.glob(f"{path.name}*")]
        return "refused" if (path.read_bytes(), beside) == (before, [path.name]) else "TOUCHED"
    reads: list[Callable[[], Any]] = [
        lambda: client.search_memory("Alice hikes number 5"),
        lambda: client.list_episodes(200),
        lambda: client.list_memos(100),
        client.list_api_keys,
        lambda: client.get_episode("e77"),
    ]
    writes: list[Callable[[], Any]] = [
        lambda: client.create_episode("new", "Alice is new", group_id="g1"),
        lambda: client.create_memo("new"),
        lambda: client.delete_episode("e60"),
    ]
    with client:
        fates = [_told(call) for call in reads]
    if path.read_bytes() != before:
        return "TOUCHED"
    client = MemStackClient.local(path)
    with client:
        fates += [_told(call) for call in writes]
    return max(fates)


def _told(call: Callable[[], Any]) -> str:
    try:
        call()
    except MemStackError as error:
        if "file is damaged" in error.message and len(error.attempts) == 1:
            return "told at use"
        if getattr(error, "status_code", None) == 404:
            return "not noticed"
        return f"wrongly told: {error.message[:80]}"
    return "not noticed"
