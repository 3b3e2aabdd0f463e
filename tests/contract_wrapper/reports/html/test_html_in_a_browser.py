"""Pages as a browser shows them: no error, nothing loaded, figures there, the table sorts, the episode plays.

Needs Chromium: Debian's package `chromium`, or `playwright install chromium`.
"""

import dataclasses
import os
import shutil
from pathlib import Path

import pytest
from hostile import IMAGE, MAKING, SCRIPT, hostile_landscape, hostile_study
from made_up_crews import certified, make_crew_study

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.playback.compact import compact
from contract_wrapper.playback.recording import record_episode
from contract_wrapper.reports.html.document import data
from contract_wrapper.reports.html.landscape_page import write_landscape_page
from contract_wrapper.reports.html.study_page import study_page

SECONDS = 240
"""How long a busy machine may take for anything."""

PLACES = ("chromium", "chromium-browser", "google-chrome")
"""Browsers of the system, by the names of their programs."""

CELLS = """() => {
  // Bokeh's table lies in shadow roots: all cells of a column, by row
  const found = [];
  const walk = (root) => {
    for (const node of root.querySelectorAll("*")) if (node.shadowRoot) walk(node.shadowRoot);
    for (const row of root.querySelectorAll(".slick-row"))
      found.push([parseFloat(row.style.top) || 0, [...row.querySelectorAll(".slick-cell")].map((cell) => cell.textContent)]);
  };
  walk(document);
  return found.sort((a, b) => a[0] - b[0]).map(([, cells]) => cells);
}"""

PLACES_OF_MARKS = """() => {
  // where marks and cells of figures lie on the page: some of each that can be seen
  const found = [];
  const walk = (view) => {
    if (view.model.type === "Figure") {
      const box = view.canvas_view.el.getBoundingClientRect(), scales = [view.frame.x_scale, view.frame.y_scale];
      for (const {glyph, data_source, visible} of view.model.renderers) {
        if (!visible || !["Scatter", "Quad"].includes(glyph.type)) continue;
        const ends = glyph.type === "Quad" ? [[glyph.left, glyph.right], [glyph.bottom, glyph.top]] : [[glyph.x], [glyph.y]];
        const columns = ends.map((specs) => specs.map((spec) => data_source.data[spec.field] ?? [NaN]));
        for (let i = 0; i < Math.min(2, columns[0][0].length); i++) {
          const [x, y] = columns.map((some, k) => scales[k].compute(some.reduce((sum, c) => sum + c[i], 0) / some.length));
          if (isFinite(x) && isFinite(y)) found.push([box.left + x + window.scrollX, box.top + y + window.scrollY]);
        }
      }
    }
    for (const child of view.children()) walk(child);
  };
  for (const root of Bokeh.index) walk(root);
  return found;
}"""


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip(
        "playwright.sync_api", reason="the package playwright, which drives a browser, is not installed"
    )
    options = ["--disable-gpu"] + ["--no-sandbox"] * (os.geteuid() == 0)  # Chromium's sandbox refuses root
    here = [path for path in map(shutil.which, PLACES) if path]
    with api.sync_playwright() as playwright:
        for path in (*here, None):  # None: playwright's own, if it was installed
            try:
                started = playwright.chromium.launch(executable_path=path, args=options, timeout=1000 * SECONDS)
            except api.Error:
                continue
            yield started
            started.close()
            return
        pytest.skip("no browser is installed: Debian's package chromium, or `playwright install chromium`")


@pytest.fixture(scope="module")
def episodes():
    """Two short episodes of scripted players, as pages hold them."""
    return [
        compact(record_episode(contract, seed=0, steps=30))
        for contract in (Contract.none(), Contract(tax=0.3, n_cleaners=2))
    ]


class Seen:
    """A page that a browser has opened, and all that it said and asked for."""

    def __init__(self, browser, path: Path) -> None:
        self.errors, self.asked = list[str](), list[str]()
        self.page = browser.new_page(viewport={"width": 1200, "height": 900})
        self.page.set_default_timeout(1000 * SECONDS)
        self.page.on(
            "console",
            lambda message: self.errors.append(message.text) if message.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        charts = self.page.locator("figure.chart").count()
        for k in range(charts):
            self.page.locator("figure.chart").nth(k).locator("canvas, .slick-row").first.wait_for()
        self.charts = charts

    def hovered(self) -> str:
        """Everything that figures tell of some of their marks by hover."""
        told = []
        for x, y in self.page.evaluate(PLACES_OF_MARKS):
            self.page.evaluate(f"window.scrollTo(0, {y - 400})")
            top = self.page.evaluate("window.scrollY")
            self.page.mouse.move(x, y - top)
            told += self.page.locator("[class*=tooltip-row]").all_text_contents()
        return "\n".join(told)

    def check_quiet(self, path: Path) -> None:
        assert self.errors == []
        assert self.asked == [path.as_uri()]
        assert self.page.evaluate("typeof window.hacked") == "undefined"


def test_a_study_shows_its_figures_sorts_its_table_and_plays_its_episode(browser, episodes, tmp_path):
    from playwright.sync_api import expect

    made = study_page(certified(make_crew_study(tmp_path)), MAKING)
    made.section("An episode", '<div id="episodes"></div>', data("episodes", episodes, target="episodes"))
    path = made.write(tmp_path)
    seen = Seen(browser, path)
    page = seen.page
    assert seen.charts >= 6
    column = page.locator(".slick-header-column", has_text="welfare").first
    column.scroll_into_view_if_needed()
    before = [cells[4] for cells in page.evaluate(CELLS)]
    column.click()
    page.wait_for_timeout(500)
    rising = [float(cells[4]) for cells in page.evaluate(CELLS) if cells[4] != "-"]
    assert rising == sorted(rising)
    assert [f"{value:.2f}" for value in rising] != [cell for cell in before if cell != "-"]

    slider, button = page.locator(".controls input"), page.locator(".controls button")
    field = page.locator(".screen canvas").nth(1)
    first = field.evaluate("canvas => canvas.toDataURL()")
    assert slider.input_value() == "0"
    assert "step 0," in page.locator("figcaption").first.inner_text()
    page.locator(".controls select").select_option("30")
    button.click()
    expect(slider).to_have_value("30", timeout=1000 * SECONDS)
    assert field.evaluate("canvas => canvas.toDataURL()") != first
    assert "step 30," in page.locator("figcaption").first.inner_text()
    expect(button).to_have_text("Play", timeout=1000 * SECONDS)
    slider.fill("0")
    assert field.evaluate("canvas => canvas.toDataURL()") == first
    told = page.locator("section", has_text="How this was made").locator("pre").all_inner_texts()
    assert told[:2] == ["\n".join(MAKING.made_by), MAKING.command]
    seen.check_quiet(path)


def test_markup_in_names_stays_text_in_figures_hover_and_table(browser, episodes, tmp_path):
    made = study_page(hostile_study(tmp_path), MAKING)
    hostile = [
        {**episode, "title": SCRIPT + IMAGE, "captions": [IMAGE] * 31, "players": SCRIPT} for episode in episodes
    ]
    told = {"kind": "text", "title": IMAGE, "players": IMAGE, "steps": [0], "captions": [IMAGE], "texts": [SCRIPT]}
    made.section("An episode", '<div id="episodes"></div>', data("episodes", [*hostile, told], target="episodes"))
    path = made.write(tmp_path)
    seen = Seen(browser, path)
    page = seen.page
    assert IMAGE in seen.hovered()
    assert page.locator("img[src=x]").count() == 0
    assert IMAGE in page.locator("figcaption").first.inner_text()
    seen.check_quiet(path)


def test_terms_with_markup_stay_text_in_headings_of_the_table(browser, tmp_path):
    path = write_landscape_page(hostile_landscape(), tmp_path, dataclasses.replace(MAKING, settings=""))
    seen = Seen(browser, path)
    assert seen.page.locator(".slick-header-column", has_text="<img src=x").count() > 0
    told = seen.hovered()
    assert IMAGE in told
    assert SCRIPT in told
    assert seen.page.locator("img[src=x]").count() == 0
    seen.check_quiet(path)
