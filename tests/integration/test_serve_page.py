"""The page of `memstack serve` in a real browser: what a user sees, types and is protected from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from .browser import NoBrowser, chromium, enter, fill, tab
from .command import Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

ATTACKS = (
    "<script>attacked = 1</script>",
    "<img src=x onerror=attacked=1>",
    "\"'><svg onload=attacked=1>",
    "javascript:attacked=1",
    "${attacked=1}</textarea></script><iframe srcdoc='<script>parent.attacked=1</script>'>",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    running = chromium()
    try:
        browser = running.__enter__()
    except NoBrowser as missing:
        pytest.skip(str(missing))
    yield browser
    running.__exit__(None, None, None)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving() as served:
        fill(served)
        yield served


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with tab(browser) as page:
        yield page


def texts(page: Page, selector: str) -> list[str]:
    """Of all that is seen and matches."""
    return [text.strip() for text in page.locator(f"{selector} >> visible=true").all_inner_texts()]


def search(page: Page, query: str) -> None:
    page.get_by_label("What do you look for?").fill(query)
    page.keyboard.press("Enter")


def test_key_stays_in_the_tab_and_can_be_forgotten(page: Page, served: Served) -> None:
    """It is in no cookie, no lasting store, no address and no element; a new tab asks again."""
    enter(page, served)
    page.get_by_label("What do you look for?").wait_for()
    page.reload()
    page.get_by_label("What do you look for?").wait_for()

    assert page.evaluate("Object.values(sessionStorage)") == [served.key]
    assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    assert page.evaluate("indexedDB.databases()") == []
    assert page.context.cookies() == []
    assert served.key not in page.url + page.content()
    other = page.context.new_page()
    other.goto(served.url)
    other.get_by_label("Key, as").wait_for()
    other.close()

    page.get_by_role("button", name="Forget key").click()
    page.get_by_label("Key, as").wait_for()
    assert page.evaluate("sessionStorage.length") == 0


def test_key_that_is_refused_is_asked_for_again(page: Page, served: Served) -> None:
    """It says where the right one is; what can be no key is not even sent."""
    page.goto(f"{served.url}/#memos")
    key = page.get_by_label("Key, as")
    key.fill("nonsense")
    page.keyboard.press("Enter")
    assert page.evaluate("document.forms[0].key.validity.patternMismatch")

    key.fill("ms_sk_wrong")
    page.keyboard.press("Enter")

    page.get_by_text("The server does not take this key").wait_for()
    assert "MEMSTACK_API_KEY" in page.locator("#error").inner_text()
    assert page.evaluate("sessionStorage.length") == 0
    key.fill(served.key)
    page.keyboard.press("Enter")
    page.get_by_text("2 memos").wait_for()
    assert texts(page, "#error") == []


def test_search_shows_what_matched(page: Page, served: Served) -> None:
    """Name, text, where it comes from and when, best first, with the words marked."""
    enter(page, served)
    search(page, "hiking")
    page.get_by_text("2 results").wait_for()

    assert set(texts(page, "h3")) == {"Alice on hiking", "Bob's knee"}
    assert {text.lower() for text in texts(page, "mark")} == {"hiking"}
    alice = page.locator("article", has_text="Alice on").inner_text()
    assert "Alice loves hiking in Yosemite with Bob." in alice
    assert "conversation · " in alice
    assert "chat-42 · 1 May 2026, 09:30 · score 0." in alice


def test_search_can_be_narrowed(page: Page, served: Served) -> None:
    """By group and by day, both ends included; that there is nothing is said."""
    enter(page, served)
    page.locator("#search-view").get_by_label("From").fill("2026-05-03")
    page.locator("#search-view").get_by_label("To").fill("2026-05-03")
    search(page, "hiking")
    page.get_by_text("1 result", exact=True).wait_for()
    assert texts(page, "h3") == ["Bob's knee"]

    page.locator("#search-view").get_by_label("Group").fill("meeting-7")
    page.keyboard.press("Enter")
    page.get_by_text("No results").wait_for()
    assert texts(page, "article") == []


HIGHLIGHTS: list[Any] = [
    {"field": "name", "text": "Zoë", "start": 2, "end": 5},
    {"field": "content", "text": "𝒳𝓎", "start": 4, "end": 6},
    {"field": "content", "text": "end", "start": 7, "end": 10},
    {"field": "context", "text": "<b>trail</b>"},
    {"field": "content", "text": "wrong", "start": 0, "end": 3},
    {"field": "content", "text": "far", "start": 90, "end": 93},
    {"field": "content", "text": None, "start": -1, "end": None},
    None,
    "text",
]


def test_highlights_of_the_server_are_shown_where_they_are(page: Page, served: Served) -> None:
    """They count characters, also where JavaScript counts two; what is out of place is left out."""
    result = {
        "id": "1",
        "content": "😀 a 𝒳𝓎 end",
        "score": 0.5,
        "type": "episode",
        "metadata": {"name": "🥾 Zoë", "highlights": HIGHLIGHTS},
    }

    def answer(route: Route) -> None:
        route.fulfill(json={"results": [result], "total": 1, "query": "x"})

    page.route("**/api/v1/memory/search", answer)
    enter(page, served)
    search(page, "unlike anything")
    page.get_by_text("1 result", exact=True).wait_for()

    assert texts(page, "mark") == ["Zoë", "𝒳𝓎", "end", "<b>trail</b>"]
    assert texts(page, ".content") == ["😀 a 𝒳𝓎 end"]


def test_episodes_are_browsed_by_group_and_time(page: Page, served: Served) -> None:
    """The group of the newest first, in each the newest first."""
    enter(page, served, "episodes")
    view = page.locator("#episodes-view")
    page.get_by_text("4 of 4 episodes").wait_for()
    assert texts(page, "#episodes-view h2") == [
        "chat-42 2 episodes",
        "meeting-7 1 episode",
        "No group 1 episode",
    ]
    names = ["Bob's knee", "Alice on hiking", "Launch plan", "王芳的偏好"]
    assert texts(page, "summary b") == names

    page.get_by_text("Alice on hiking").click()
    opened = page.locator("details[open]").inner_text()
    assert "Alice loves hiking in Yosemite" in opened
    assert '"session": "s1"' in opened

    view.get_by_label("From").first.fill("2026-04-20")
    view.get_by_label("To").first.fill("2026-05-01")
    page.get_by_text("2 of 4 episodes").wait_for()
    assert texts(page, "summary b") == names[1:3]
    view.get_by_label("Group").first.select_option("No group")
    page.get_by_text("0 of 4 episodes").wait_for()
    view.get_by_label("To").first.fill("")
    view.get_by_label("From").first.fill("")
    page.get_by_text("1 of 4 episodes").wait_for()
    assert texts(page, "summary b") == names[3:]


def test_episode_is_added_and_found(page: Page) -> None:
    """In its group; the form is empty again, and spaces around are no part of it."""
    with serving() as served:
        enter(page, served, "episodes")
        page.get_by_text("0 of 0 episodes").wait_for()
        page.get_by_text("Add an episode").click()
        form = page.locator(".adding form")
        form.get_by_label("Name").fill(" Trip ")
        form.get_by_label("Group").fill("plans")
        form.get_by_label("What happened").fill("Alice goes to\nYosemite.")
        form.get_by_role("button", name="Add").click()
        page.get_by_text("1 of 1 episodes").wait_for()
        assert texts(page, "#episodes-view h2") == ["plans 1 episode"]
        assert form.get_by_label("Name").input_value() == ""

        page.get_by_role("link", name="Search").click()
        search(page, "Yosemite")
        page.get_by_text("1 result", exact=True).wait_for()
        assert texts(page, "h3") == ["Trip"]
        assert texts(page, ".content") == ["Alice goes to\nYosemite."]


def test_long_lists_are_loaded_a_page_at_a_time(page: Page) -> None:
    """It says how many there are, and nothing is left out or shown twice."""
    with serving() as served, served.client() as client:
        for number in range(205):
            client.post("/api/v1/episodes/", json={"name": f"e{number}", "content": "x"})
        for number in range(103):
            client.post("/api/v1/memos", json={"content": f"m{number}"})
        enter(page, served, "episodes")
        page.get_by_text("200 of 200 episodes; 200 of 205 are loaded").wait_for()
        page.get_by_role("button", name="Load older episodes").click()
        page.get_by_text("205 of 205 episodes").wait_for()
        assert len(set(texts(page, "summary b"))) == 205
        assert texts(page, ".more") == []

        page.get_by_role("link", name="Memos").click()
        page.get_by_text("100 memos").wait_for()
        page.get_by_role("button", name="Load older memos").click()
        page.get_by_text("103 memos").wait_for()
        assert len(set(texts(page, "#memos-view .content"))) == 103


def test_all_can_be_done_with_the_keyboard(page: Page) -> None:
    """From the key to a memo that is deleted; what has the focus can be seen."""
    with serving() as served:
        page.goto(served.url)
        page.keyboard.type(served.key)  # The field has the focus.
        page.keyboard.press("Enter")
        page.get_by_label("What do you look for?").wait_for()
        tab_to(page, "Memos")
        page.keyboard.press("Enter")
        page.get_by_text("No memos").wait_for()
        tab_to(page, "Note")
        page.keyboard.type("Buy a map")
        tab_to(page, "Tags, with commas")
        page.keyboard.type("hiking, , maps")
        tab_to(page, "Add")
        page.keyboard.press("Enter")
        page.get_by_text("1 memo", exact=True).wait_for()
        assert "PRIVATE · hiking, maps" in page.locator("article").inner_text()

        tab_to(page, "Delete")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")  # Leaves it, so nothing is deleted.
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.textContent") == "Really delete?"
        page.keyboard.press("Enter")
        page.get_by_text("No memos").wait_for()
        assert page.evaluate("document.activeElement.name") == "content"


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is called *name* has the focus; what has it on the way shows that."""
    for _ in range(40):
        page.keyboard.press("Tab")
        seen = page.evaluate(
            """() => {
                const one = document.activeElement;
                const name = one.labels?.[0]?.innerText ?? one.innerText;
                return [name.trim(), getComputedStyle(one).outlineStyle, one.tagName];
            }"""
        )
        assert seen[1] != "none" or seen[2] == "BODY", seen  # Past the end, it is the browser's.
        if seen[0] == name:
            return
    raise AssertionError(f"no way to {name}")


def test_key_is_made_shown_once_and_revoked(page: Page) -> None:
    """With what it may and until when; after a look elsewhere it is gone."""
    with serving() as served:
        enter(page, served, "keys")
        page.get_by_text("No keys").wait_for()
        page.get_by_label("Name").last.fill("dashboard")
        page.get_by_label("Days until it expires").fill("30")
        page.get_by_role("button", name="Make a key").click()
        page.get_by_text("The new key, shown only now").wait_for()
        made = page.locator(".made code").inner_text()
        assert re.fullmatch(r"ms_sk_[0-9a-f]{64}", made)
        assert "may read" in page.locator("article").inner_text()
        assert "expires" in page.locator("article").inner_text()

        page.get_by_role("link", name="Search").click()
        page.get_by_label("What do you look for?").wait_for()
        assert made not in page.content()
        page.get_by_role("link", name="Keys").click()
        page.get_by_role("button", name="Revoke").click()
        page.get_by_role("button", name="Really revoke?").click()
        page.get_by_text("No keys").wait_for()
        served.key = made
        with served.client() as client:
            assert client.get("/api/v1/memos").status_code == 401


def test_refusal_of_the_server_is_shown(page: Page, served: Served) -> None:
    """What a key may not do, and a server that is gone."""
    with served.client() as client:
        body = {"name": "reader", "permissions": ["read"]}
        reader = client.post("/api/v1/auth/keys", json=body).json()
    page.goto(f"{served.url}/#memos")
    page.get_by_label("Key, as").fill(reader["key"])
    page.keyboard.press("Enter")
    page.get_by_text("2 memos").wait_for()
    page.get_by_label("Note").fill("x")
    page.get_by_role("button", name="Add").last.click()
    page.get_by_text("This API key has no 'write' permission").wait_for()
    assert page.get_by_label("Note").input_value() == "x"

    page.context.set_offline(True)
    page.get_by_role("button", name="Add").last.click()
    page.get_by_text("Is memstack serve still running?").wait_for()
    with served.client() as client:
        client.delete(f"/api/v1/auth/keys/{reader['key_id']}")


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_is_stored_is_shown_as_text(page: Page, attack: str) -> None:
    """In every field of every view; nothing of it becomes an element, and nothing runs."""
    episode = {
        "name": f"name {attack}",
        "content": f"content {attack}",
        "group_id": f"group {attack}",
        "source_description": f"source {attack}",
        "project_id": f"project {attack}",
        "metadata": {"own": f"key {attack}", "highlights": [{"field": "context", "text": attack}]},
    }
    memo = {"content": f"content {attack}", "tags": [f"tag {attack}"]}
    key = {"name": f"key {attack}", "permissions": ["read"]}
    with serving() as served, served.client() as client:
        client.post("/api/v1/episodes/", json=episode).raise_for_status()
        client.post("/api/v1/memos", json=memo).raise_for_status()
        client.post("/api/v1/auth/keys", json=key).raise_for_status()
        seen = []
        enter(page, served)
        search(page, f"name {attack}")
        page.get_by_text("1 result", exact=True).wait_for()
        seen.append(page.locator("main").inner_text())
        page.get_by_role("link", name="Episodes").click()
        page.get_by_text("1 of 1 episodes").wait_for()
        page.locator(".episode summary").click()
        seen.append(page.locator("main").inner_text())
        page.get_by_role("link", name="Memos").click()
        page.get_by_text("1 memo", exact=True).wait_for()
        seen.append(page.locator("main").inner_text())
        page.get_by_role("link", name="Keys").click()
        page.get_by_text("1 key", exact=True).wait_for()
        seen.append(page.locator("main").inner_text())

    fields = ("name content group", "name content group source project", "content tag", "key")
    for text, names in zip(seen, fields, strict=True):
        for field in names.split():
            assert f"{field} {attack}" in text
    assert (
        page.locator("main").locator("script, img, svg, iframe, [onload], [onerror]").count() == 0
    )
    assert page.evaluate("typeof attacked") == "undefined"


def test_policy_stops_what_would_get_past_that(browser: Browser, served: Served) -> None:
    """No inline code runs, text cannot be made markup, nothing is fetched from elsewhere."""
    with tab(browser, may_complain=True) as page:
        page.goto(served.url)
        page.get_by_label("Key, as").wait_for()
        outcomes = page.evaluate(TRIES)

    assert outcomes == ["TypeError", "TypeError", "TypeError", "undefined"]


TRIES = """async () => {
    const tried = [];
    const code = document.createElement("script");
    try { code.text = "attacked = 1"; document.body.append(code); tried.push("ran"); }
    catch (error) { tried.push(error.name); }
    try { document.body.innerHTML = "<b>x</b>"; tried.push("made"); }
    catch (error) { tried.push(error.name); }
    try { await fetch("http://127.0.0.1:9/"); tried.push("fetched"); }
    catch (error) { tried.push(error.name); }
    return [...tried, typeof attacked];
}"""
CONTRASTS = """() => {
    const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (text) => rgb(text).slice(0, 3).map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
    const paper = (one) => {
        const colour = getComputedStyle(one).backgroundColor;
        return (rgb(colour)[3] ?? 1) === 0 ? paper(one.parentElement) : colour;
    };
    return [...document.querySelectorAll("body *")]
        .filter((one) => one.checkVisibility() && one.textContent.trim())
        .map((one) => {
            const [high, low] = [light(getComputedStyle(one).color), light(paper(one))]
                .sort((a, b) => b - a);
            return [one.tagName, (high + 0.05) / (low + 0.05)];
        });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_colour_schemes(
    browser: Browser, served: Served, scheme: Any
) -> None:
    """At least 4.5 to 1, as WCAG 2.2, 1.4.3 asks for; and the schemes are two."""
    with tab(browser, color_scheme=scheme) as page:
        enter(page, served)
        search(page, "hiking")
        page.get_by_text("2 results").wait_for()
        found = page.evaluate(CONTRASTS)
        page.get_by_role("link", name="Memos").click()
        page.get_by_role("button", name="Delete").first.click()
        found += page.evaluate(CONTRASTS)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.goto(f"{served.url}/docs")
        found += page.evaluate(CONTRASTS)

    assert {"MARK", "A", "BUTTON", "P", "CODE"} <= {name for name, _ in found}
    assert [one for one in found if one[1] < 4.5] == []
    assert (int(re.findall(r"\d+", paper)[0]) < 128) == (scheme == "dark")


@pytest.mark.parametrize("path", ["/#search", "/#episodes", "/#memos", "/#keys", "/docs"])
def test_a_narrow_window_needs_no_scrolling_sideways(
    browser: Browser, served: Served, path: str
) -> None:
    """At 320 pixels, as WCAG 2.2, 1.4.10 asks for."""
    with tab(browser, viewport={"width": 320, "height": 600}) as page:
        page.goto(served.url)
        page.get_by_label("Key, as").fill(served.key)
        page.keyboard.press("Enter")
        page.goto(f"{served.url}{path}")
        page.wait_for_load_state("networkidle")
        if path == "/#search":
            search(page, "hiking")
            page.get_by_text("2 results").wait_for()

        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_nothing_is_asked_of_any_other_host(page: Page, served: Served) -> None:
    """Neither by the page nor by the reference."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    enter(page, served)
    search(page, "hiking")
    page.get_by_text("2 results").wait_for()
    page.get_by_role("link", name="API reference").click()
    page.get_by_role("heading", name="MemStack API").wait_for()

    assert len(asked) > 10
    assert {url[: len(served.url)] for url in asked} == {served.url}
