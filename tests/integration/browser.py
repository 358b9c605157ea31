"""A real browser, headless, and memories to look at with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .command import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EPISODES = [
    {
        "name": "Alice on hiking",
        "content": "Alice loves hiking in Yosemite with Bob. They plan the Mist Trail for May.",
        "source_type": "conversation",
        "source_description": "Support chat",
        "group_id": "chat-42",
        "metadata": {"session": "s1"},
        "valid_at": "2026-05-01T09:30:00Z",
    },
    {
        "name": "Bob's knee",
        "content": "Bob says his knee hurts after long walks; hiking on flat trails is fine.",
        "source_type": "conversation",
        "group_id": "chat-42",
        "valid_at": "2026-05-03T18:00:00Z",
    },
    {
        "name": "Launch plan",
        "content": "The mobile app launches on 12 October. Carol writes the release notes.",
        "source_type": "document",
        "group_id": "meeting-7",
        "valid_at": "2026-04-20T08:00:00Z",
    },
    {
        "name": "王芳的偏好",
        "content": "王芳喜欢在周末去西湖边骑自行车。",
        "valid_at": "2026-03-08T10:00:00Z",
    },
]
MEMOS = [
    {"content": "Ask Alice about the trail map.", "tags": ["hiking", "maps"]},
    {"content": "Book the meeting room for the launch.", "visibility": "PUBLIC"},
]


class NoBrowser(Exception):
    """There is none here; the message says what is missing."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A Chromium: the system's, or the one that Playwright has installed."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise NoBrowser("Playwright is not installed: pip install '.[browser]'") from None
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    path = next(filter(None, found), None)
    # Its sandbox refuses to work for root, as in a container.
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox"] if is_root else []
            )
        except Error as error:
            raise NoBrowser(f"Chromium does not start: {error.message.splitlines()[0]}") from None
        with browser:
            yield browser


@contextmanager
def tab(browser: Browser, *, may_complain: bool = False, **options: Any) -> Iterator[Page]:
    """A page of its own, as of a new user in London; an error that it logs fails the test."""
    defaults = {"locale": "en-GB", "timezone_id": "UTC"}
    with browser.new_context(**{**defaults, **options}) as context:
        context.set_default_timeout(10_000)
        page = context.new_page()
        troubles: list[str] = []
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(dialog.message))
        page.on("console", lambda line: troubles.append(line.text) if _is_bad(line) else None)
        yield page
        assert may_complain or troubles == []


def _is_bad(line: Any) -> bool:
    # An error answer is logged by the browser itself, and shown by the page.
    return line.type in ("error", "warning") and "Failed to load resource" not in line.text


def fill(served: Served) -> None:
    """Store the memories."""
    with served.client() as client:
        for episode in EPISODES:
            client.post("/api/v1/episodes/", json=episode).raise_for_status()
        for memo in MEMOS:
            client.post("/api/v1/memos", json=memo).raise_for_status()
        body = {"name": "dashboard", "permissions": ["read"], "expires_in_days": 30}
        client.post("/api/v1/auth/keys", json=body).raise_for_status()


def enter(page: Page, served: Served, view: str = "") -> None:
    """Open a view, and type the key."""
    page.goto(f"{served.url}/{view and '#'}{view}")
    page.get_by_label("Key, as").fill(served.key)
    page.keyboard.press("Enter")
