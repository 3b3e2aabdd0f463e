"""The site that is built from the pages: complete, readable from a disk without a network, and nothing in it broken."""

import html
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from made_once import made_once

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built anew; a warning is an error (not with --quiet, under which nothing is a warning)."""

    def build(folder: Path) -> None:
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
        quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
        built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=quiet)
        assert built.returncode == 0, built.stdout + built.stderr

    return made_once("site", build, tmp_path_factory)


def prose(page: str) -> str:
    """A page of the site without what is no prose; code in a sentence is a letter."""
    page = re.sub(r"<(script|style|pre|math)\b.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"<code\b.*?</code>", "x", page, flags=re.DOTALL)


def wrong_emphasis(page: str) -> list[str]:
    """Emphasis that begins or ends within a word, or with a blank: a star or underscore that was meant as one."""
    wrong = r"\w<(?:em|strong)>|<(?:em|strong)>\s|\s</(?:em|strong)>|</(?:em|strong)>\w"
    return [page[max(0, found.start() - 40) : found.end() + 40] for found in re.finditer(wrong, prose(page))]


def test_the_site_builds_without_a_warning_and_has_every_page(site: Path) -> None:
    assert [page for page in PAGES if not (site / page).with_suffix(".html").is_file()] == []


def test_every_page_is_reached_from_the_navigation(site: Path) -> None:
    navigation = (site / "index.html").read_text()
    assert [page for page in PAGES if f'href="{page.removesuffix(".md")}.html"' not in navigation] == []


def test_a_page_fetches_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        tags = re.findall(r"<(?:script|link|img|iframe)\b[^>]*>", page.read_text())
        assert [tag for tag in tags if re.search(r'(?:src|href)="(?:https?:)?//', tag)] == [], page.name
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:url\(['\"]?|@import ['\"]?)(?:https?:)?//", style.read_text()), style.name


def test_the_search_needs_no_server(site: Path) -> None:
    """A browser fetches no index from a disk, and starts no worker there: one is a script, the other has a stand-in."""
    index = (site / "search" / "search_index.js").read_text()
    assert index.startswith("var __index = {")
    found = {entry["location"].partition("#")[0] for entry in json.loads(index.removeprefix("var __index = "))["docs"]}
    assert {page.removesuffix(".md") + ".html" for page in PAGES} <= found
    for page in PAGES:
        path = site / page
        (script,) = re.findall(r'<script src="([^"]*iframe-worker[^"]*)"', path.with_suffix(".html").read_text())
        assert (path.parent / script).is_file()


def test_code_is_coloured(site: Path) -> None:
    for page in PAGES:
        blocks = re.findall(r"^```(?:python|pycon|sh)$", (DOCS / page).read_text(), flags=re.MULTILINE)
        built = (site / page).with_suffix(".html").read_text()
        coloured = re.findall(r'<pre><span></span><code>(?:(?!</code>).)*?<span class="\w+">', built, flags=re.DOTALL)
        assert len(coloured) >= len(blocks), page


def test_every_formula_is_typeset(site: Path) -> None:
    total = 0
    for page in PAGES:
        source, built = (DOCS / page).read_text(), (site / page).with_suffix(".html").read_text()
        formulas = len(re.findall(r"\$`[^`]+`\$", source)) + len(re.findall(r"^```math$", source, flags=re.MULTILINE))
        assert built.count("<math") == formulas, page
        assert "<merror" not in built
        assert "$<code>" not in built
        total += formulas
    assert total >= 50


def test_a_formula_with_a_mistake_is_refused() -> None:
    formulas = importlib.import_module("formulas")
    assert "<mfrac>" in formulas.typeset(r"\frac{1}{2}", display=True)
    with pytest.raises(ValueError, match="cannot be typeset"):
        formulas.typeset(r"\fraq{1}{2}", display=False)


def test_no_star_within_a_word_swallows_half_a_sentence(site: Path) -> None:
    assert {str(page): wrong for page in site.rglob("*.html") if (wrong := wrong_emphasis(page.read_text()))} == {}


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("<p>f<em> is best, and f</em>.</p>", True),
        ("<p>(rows<em>s, columns</em>s)</p>", True),
        ("<p>2 <em> 3 </em> 4</p>", True),
        ("<p>It is <em>drawn</em>, <strong>not</strong> taken. <em><code>a</code> and b.</em></p>", False),
    ],
)
def test_emphasis_that_was_a_star_is_told_from_emphasis(page: str, wrong: bool) -> None:
    assert bool(wrong_emphasis(page)) is wrong


def test_every_link_within_the_site_leads_somewhere(site: Path) -> None:
    built = {page.resolve(): page.read_text() for page in site.rglob("*.html") if page.name != "404.html"}
    names = {path: set(re.findall(r'\b(?:id|name)="([^"]*)"', text)) for path, text in built.items()}
    broken = []
    for path, text in built.items():
        for link in re.findall(r'\b(?:href|src)="([^"]*)"', text):
            target, _, anchor = html.unescape(link).partition("#")
            if re.match(r"[a-z]+:", target):
                continue
            file = (path.parent / target).resolve() if target else path
            if not file.exists() or (anchor and file in names and anchor not in names[file]):
                broken.append(f"{path.name}: {link}")
    assert broken == []


@pytest.mark.parametrize("package", ["cleanup_env", "contract_tree", "contract_wrapper", "mtmfq"])
def test_the_reference_has_every_public_name_and_no_other(site: Path, package: str) -> None:
    public = {f"{package}.{name}" for name in importlib.import_module(package).__all__}
    named = re.findall(r"^::: (\S+)$", (DOCS / "reference" / f"{package}.md").read_text(), flags=re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) == public
    page = (site / "reference" / f"{package}.html").read_text()
    assert [name for name in named if f'id="{name}"' not in page] == []
    assert "<blockquote" not in page  # examples in docstrings are shown as code


@pytest.mark.parametrize(
    ("docstring", "read"),
    [
        ("Do.\n\nArgs:\n    a: one.\n    b, c: both,\n        in two lines.\n    d: last.\n\nNo, this: stays.",
         "Do.\n\nArgs:\n    a: one.\n    b: both,\n        in two lines.\n    c: both,\n        in two lines.\n    d: last.\n\nNo, this: stays."),
        ("Args:\n    a, b: both.", "Args:\n    a: both.\n    b: both."),
        ("Of x, y: nothing.\n", "Of x, y: nothing.\n"),
    ],
)  # fmt: skip
def test_arguments_that_share_a_description_get_it_each(docstring: str, read: str) -> None:
    told_apart: Callable[[str], str] = importlib.import_module("doctests").told_apart
    assert told_apart(docstring) == read
