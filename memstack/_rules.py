"""The rules of openapi.yaml that are in no model: keys, header values, path segments, list queries.

The clients hold arguments to them before anything is sent, and the embedded server requests.
"""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field

from .models import Text

KEY_PREFIX = "ms_sk_"
KEY = re.compile(rf"{KEY_PREFIX}[\x21-\x7e]+")
"""An API key."""

TOKEN = re.compile(r"[\x21-\x7e]{1,255}")
"""An `Idempotency-Key` or `X-Request-ID`."""

NOT_IN_SEGMENT = re.compile(r"[/\\\x00-\x1f\x7f-\x9f]")
"""What no segment of a path holds, encoded or not: servers and proxies resolve some of it."""
NO_SEGMENTS = ("", ".", "..")

_MOST = 2**31 - 1  # what every server's integer holds


class EpisodeListing(BaseModel):
    """The query parameters of list_episodes."""

    model_config = ConfigDict(strict=True, defer_build=True)

    limit: int = Field(default=50, ge=1, le=200)
    offset: int = Field(default=0, ge=0, le=_MOST)
    project_id: Text | None = None
    tenant_id: Text | None = None
    user_id: Text | None = None


class MemoListing(BaseModel):
    """The query parameters of list_memos."""

    model_config = ConfigDict(strict=True, defer_build=True)

    limit: int = Field(default=20, ge=1, le=1000)
    offset: int = Field(default=0, ge=0, le=_MOST)
