"""Which exit code an error ends the command with: docs/command-line.md has the table."""

from __future__ import annotations

from memstack.exceptions import (
    APIError,
    AuthenticationError,
    MemStackError,
    NetworkError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    ProcessingError,
    RateLimitError,
    ResponseValidationError,
    ServerError,
    ValidationError,
)

__all__ = ["CODES", "INTERRUPTED", "UNKNOWN", "code_of"]

UNKNOWN = 8
INTERRUPTED = 130
"""As shells have it: 128 and the number of SIGINT."""

CODES: dict[int, str] = {
    0: "done",
    1: "something else went wrong, was declined, or was done in part",
    2: "an argument, a setting or a file is not as it must be; nothing was done",
    3: "the API key is missing, not accepted, or may not do this",
    4: "there is no such thing",
    5: "the server refused it for another reason",
    6: "the server failed, or wants fewer requests: try again later",
    7: "no answer came from the server",
    UNKNOWN: "a write may or may not have been applied: look before you repeat it",
    9: "the server did it, but its answer cannot be read",
    10: "the episode is stored, but not processed, or the server does not tell",
    INTERRUPTED: "stopped by Ctrl-C",
}

# The first that fits: an UnprocessableEntityError is an APIError too.
_BY_CLASS: tuple[tuple[type[MemStackError], int], ...] = (
    (OutcomeUnknownError, UNKNOWN),
    (ValidationError, 2),
    (AuthenticationError, 3),
    (PermissionDeniedError, 3),
    (NotFoundError, 4),
    (RateLimitError, 6),
    (ServerError, 6),
    (APIError, 5),
    (NetworkError, 7),
    (ResponseValidationError, 9),
    (ProcessingError, 10),
)


def code_of(error: MemStackError) -> int:
    """The exit code for *error*; what the server may have done counts more than its class."""
    if error.doubt is not None:
        return UNKNOWN
    for kind, code in _BY_CLASS:
        if isinstance(error, kind):
            return code
    # One that tells of another, such as a transfer's, ends as that does.
    cause = error.__cause__
    return code_of(cause) if isinstance(cause, MemStackError) else 1
