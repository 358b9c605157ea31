"""Models are built when they are first used, also by threads that do so at the same time."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor

sys.setswitchinterval(1e-6)
from memstack import operations
from memstack._reading import read_answer
from memstack._wire import WireResponse

assert not operations.create_memo.__annotations__["return"].__args__[0].__pydantic_complete__
ready = threading.Barrier(16)
result = b'{"id": "r", "type": "relationship", "content": "c", "score": 1, "metadata": {}}'
found = b'{"results": [' + result + b'], "total": 1, "query": "q"}'

def first(_):
    ready.wait()
    asked = [operations.search_memory("q"), operations.create_memo("c"), operations.list_memos()]
    answer = read_answer(WireResponse(200, {}, found), asked[0].answer, {})
    return answer.results[0].type, [operation.body for operation in asked]

with ThreadPoolExecutor(16) as threads:
    (one,) = {repr(each) for each in threads.map(first, range(16))}
print(one)
"""


def test_threads_whose_first_calls_meet_are_all_answered() -> None:
    """In a process of its own, where nothing is built yet."""
    ran = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True)

    assert b"'relation'" in ran.stdout
    assert b'"query":"q"' in ran.stdout
