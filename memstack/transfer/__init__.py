"""Episodes and memos into a file, out of it, and from one MemStack to another.

    from memstack.transfer import copy, export_file, import_file

Each function takes a MemStackClient, or a MemStackAsyncClient and is then awaited. docs/data.md
tells what is carried over, and what a server cannot take.
"""

from .lines import InvalidFileError
from .moving import copy, export_file, import_file
from .report import Report, Tally, TransferError

__all__ = [
    "InvalidFileError",
    "Report",
    "Tally",
    "TransferError",
    "copy",
    "export_file",
    "import_file",
]
