"""The frame and its behaviours, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.e2e.pages import assert_accessible, assert_no_console_errors, sign_in

pytestmark = pytest.mark.e2e

LIST = """<form data-selection>
  <table class="table" data-list>
    <thead><tr><th><input type="checkbox" data-select-all aria-label="All"></th><th>Name</th></tr></thead>
    <tbody>{rows}</tbody>
  </table>
  <div data-selection-bar hidden><span data-selection-count></span></div>
</form>"""
ROW = """<tr><td><input type="checkbox" data-select aria-label="Select {0}"></td>
  <td><a class="table__link" href="#{0}">Trace {0}</a></td></tr>"""


@pytest.fixture
def frame(as_ada, live_server):
    """A page of ours, and a function that puts markup into its main element: behaviours listen on the document."""
    as_ada.goto(f"{live_server.url}/accounts/password/change/")

    def put(html):
        as_ada.locator("#main").evaluate("(main, html) => { main.innerHTML = html }", html)
        return as_ada

    return put


@pytest.mark.parametrize(
    "path", ["login/", "password/reset/", "password/reset/done/", "signup/", "password/reset/key/1-bad/"]
)
def test_sign_in_pages_are_accessible_and_quiet(page, live_server, path):
    page.goto(f"{live_server.url}/accounts/{path}")
    assert_accessible(page)
    assert_no_console_errors(page)


def test_the_error_page_is_accessible(as_ada, live_server):
    as_ada.goto(f"{live_server.url}/no/such/page")
    expect(as_ada.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert_accessible(as_ada)


@pytest.mark.parametrize("path", ["email/", "password/change/", "2fa/", "2fa/webauthn/", "3rdparty/", "logout/"])
def test_account_pages_are_accessible_and_quiet(as_ada, live_server, path):
    as_ada.goto(f"{live_server.url}/accounts/{path}")
    assert_accessible(as_ada)
    assert_no_console_errors(as_ada)


def test_bad_contrast_and_inline_style_are_noticed(frame):
    page = frame('<p class="faint" id="pale">pale</p><p style="color: red">inline</p>')
    page.locator("#pale").evaluate("e => { e.style.color = 'rgb(200 200 200)'; e.style.background = 'white' }")
    with pytest.raises(AssertionError, match="color-contrast: #pale"):
        assert_accessible(page)
    with pytest.raises(AssertionError, match="Content Security Policy"):
        assert_no_console_errors(page)


def test_icons_are_drawn_from_the_sprite(as_ada, live_server):
    as_ada.goto(f"{live_server.url}/accounts/2fa/")
    icon = as_ada.locator(".nav__link svg use").first
    as_ada.wait_for_load_state("networkidle")
    assert icon.evaluate("use => use.getBBox().width") > 0


def test_somebody_signs_in_and_out(page, live_server, ada):
    ada.set_password("a long enough password")
    ada.save()
    page.goto(f"{live_server.url}/accounts/login/?next=/accounts/2fa/")
    page.get_by_label("Email").fill(ada.email)
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Two-factor sign-in")).to_be_visible()
    page.get_by_text("Ada", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_the_theme_is_kept_by_the_server(as_ada, live_server):
    as_ada.goto(f"{live_server.url}/accounts/2fa/")
    as_ada.get_by_text("Ada", exact=True).click()
    as_ada.get_by_role("button", name="Dark").click()
    as_ada.reload()
    expect(as_ada.locator("html")).to_have_attribute("data-theme", "dark")
    as_ada.get_by_text("Ada", exact=True).click()
    as_ada.get_by_role("button", name="Auto").click()
    as_ada.reload()
    expect(as_ada.locator("html")).not_to_have_attribute("data-theme", "dark")


def test_the_first_tab_skips_to_the_content(as_ada, live_server):
    as_ada.goto(f"{live_server.url}/accounts/2fa/")
    as_ada.keyboard.press("Tab")
    expect(as_ada.get_by_role("link", name="Skip to content")).to_be_focused()
    as_ada.keyboard.press("Enter")
    expect(as_ada.locator("#main")).to_be_focused()


def test_on_a_phone_the_menu_button_opens_the_navigation(as_ada, live_server):
    as_ada.set_viewport_size({"width": 390, "height": 800})
    as_ada.goto(f"{live_server.url}/accounts/2fa/")
    link = as_ada.get_by_role("link", name="Back to your project")
    expect(link).to_be_hidden()
    as_ada.get_by_role("button", name="Menu").click()
    expect(link).to_be_visible()
    assert_accessible(as_ada)
    as_ada.keyboard.press("Escape")
    expect(link).to_be_hidden()


def test_the_navigation_needs_no_script(browser, live_server, ada):
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = sign_in(context.new_page(), live_server, ada)
    page.goto(f"{live_server.url}/accounts/2fa/")
    page.get_by_role("button", name="Menu").click()
    page.get_by_text("Ada", exact=True).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    context.close()


def test_a_key_presses_its_button_but_not_while_typing(frame):
    page = frame("""<button data-hotkey="d" data-copy-text="x" id="d">Do</button><input aria-label="Note">
        <button data-hotkey="mod+Enter" id="m">Send</button>""")
    page.evaluate("""() => { window.pressed = [];
        document.addEventListener("click", (event) => window.pressed.push(event.target.id)) }""")
    page.keyboard.press("d")
    page.get_by_label("Note").focus()
    page.keyboard.type("dd")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    assert page.evaluate("window.pressed") == ["d", "m", "d"]
    expect(page.get_by_label("Note")).to_have_value("dd")


def test_shortcuts_can_be_looked_up_and_switched_off(frame):
    page = frame("<p>Nothing</p>")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert_accessible(page)
    dialog.get_by_role("button", name="Off").click()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()


def test_a_list_is_walked_ticked_and_opened_by_keyboard(frame):
    page = frame(LIST.format(rows="".join(map(ROW.format, "abc"))))
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Trace b")).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_label("Select b")).to_be_checked()
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    assert page.url.endswith("#a")


def test_the_header_box_ticks_all_and_shift_a_range(frame):
    page = frame(LIST.format(rows="".join(map(ROW.format, "abcd"))))
    page.get_by_label("All").check()
    expect(page.get_by_text("4 selected")).to_be_visible()
    page.get_by_label("All").uncheck()
    expect(page.locator("[data-selection-bar]")).to_be_hidden()
    page.get_by_label("Select a").click()
    page.get_by_label("Select c").click(modifiers=["Shift"])
    expect(page.get_by_text("3 selected")).to_be_visible()


def test_a_dialog_opens_and_closes_and_holds_the_keys(frame):
    page = frame("""<button data-dialog-open="it">Open</button>
        <p data-dismissible>Behind <button data-hotkey="k" data-dismiss>Dismiss</button></p>
        <dialog id="it" class="dialog" aria-labelledby="t"><h2 id="t">It</h2><input aria-label="Name">
        <button type="button" data-dialog-close>Cancel</button></dialog>""")
    page.get_by_role("button", name="Open").click()
    dialog = page.get_by_role("dialog", name="It")
    expect(dialog).to_be_visible()
    page.get_by_label("Name").fill("typed")
    page.mouse.click(5, 5)
    page.get_by_role("button", name="Cancel").focus()
    page.keyboard.press("k")
    expect(dialog).to_be_visible()
    expect(page.get_by_text("Behind")).to_be_attached()
    page.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    page.keyboard.press("k")
    expect(page.get_by_text("Behind")).not_to_be_attached()


def test_a_menu_closes_when_the_person_goes_elsewhere(frame):
    page = frame("""<details class="menu" data-menu><summary>More</summary><div class="menu__panel">
        <a class="menu__item" href="#1">First</a></div></details><p>Elsewhere</p>""")
    page.get_by_text("More").click()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="First")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="First")).to_be_hidden()
    page.get_by_text("More").click()
    page.get_by_text("Elsewhere").click()
    expect(page.get_by_role("link", name="First")).to_be_hidden()


def test_an_htmx_error_becomes_a_sentence(frame):
    page = frame('<a id="gone" href="/nowhere" hx-get="/nowhere" hx-swap="outerHTML">Load</a>')
    page.evaluate("htmx.process(document.getElementById('gone'))")
    page.get_by_role("link", name="Load").click()
    expect(page.get_by_role("status").filter(has_text="This isn't there any more")).to_be_visible()
    expect(page.get_by_role("link", name="Load")).to_be_visible()


def test_copying_says_so(frame, context):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = frame('<pre id="secret">sk-1</pre><button data-copy="#secret">Copy</button>')
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("status").filter(has_text="Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "sk-1"


def test_a_pane_is_resized_by_keyboard_and_remembered(frame):
    page = frame("""<div class="panes panes--trace" data-panes="test"><div class="pane" id="tree">a</div>
        <div class="pane-handle" data-pane-handle role="separator" tabindex="0" aria-orientation="vertical"
          aria-valuenow="320" aria-label="Width of the tree"></div><div class="pane">b</div></div>""")
    before = page.locator("#tree").bounding_box()["width"]
    page.get_by_role("separator").press("ArrowRight")
    assert page.locator("#tree").bounding_box()["width"] == before + 24
    assert page.evaluate("localStorage.getItem('panes:test')") == str(int(before + 24))


def test_times_are_shown_in_the_viewers_zone(browser, live_server, ada):
    context = browser.new_context(timezone_id="Asia/Tokyo")
    page = sign_in(context.new_page(), live_server, ada)
    page.goto(f"{live_server.url}/accounts/2fa/")
    page.locator("#main").evaluate(
        """main => { main.innerHTML = '<time datetime="2026-01-02T20:00:00.000+00:00" data-local="full">x</time>';
        main.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true })) }"""
    )
    expect(page.locator("time")).to_have_text("2026-01-03 05:00:00")
    context.close()
