"""Writes docs/images: what the page and the API reference of `memstack serve` look like."""

from __future__ import annotations

from pathlib import Path

from .browser import chromium, enter, fill, tab
from .command import serving

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SIZE = {"width": 800, "height": 520}


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with serving() as served, chromium() as browser:
        fill(served)
        with tab(browser, viewport=SIZE, color_scheme="light") as page:
            enter(page, served)
            page.get_by_label("What do you look for?").fill("hiking with Bob")
            page.keyboard.press("Enter")
            page.get_by_text("2 results").wait_for()
            page.screenshot(path=IMAGES / "search.png")
        with tab(browser, viewport=SIZE, color_scheme="dark") as page:
            enter(page, served, "episodes")
            page.get_by_text("Bob's knee").click()
            page.screenshot(path=IMAGES / "episodes.png")
            page.goto(f"{served.url}/docs#search_memory")
            page.screenshot(path=IMAGES / "reference.png")


if __name__ == "__main__":
    main()
