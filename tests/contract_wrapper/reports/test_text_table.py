"""Tables of plain text: nothing is cut, and nothing is wider than a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from contract_wrapper.reports.text_table import in_columns

HEAD = [("name", "a", "b"), ("", "± se", "")]


def test_a_narrow_table_is_one_block_with_notes_below_its_rows() -> None:
    assert in_columns(HEAD, [("first", "1.0", "2"), ("x", "10.0", "-")], notes=["said below", ""], width=20) == [
        "name      a  b",
        "       ± se",
        "--------------",
        "first   1.0  2",
        "    said below",
        "x      10.0  -",
        "--------------",
    ]


def test_columns_that_do_not_fit_go_below_with_the_names_again() -> None:
    assert in_columns([("name", "aaaa", "bbbb")], [("x", "1", "2")], width=10) == [
        "name  aaaa", "----------", "x        1", "----------", "", "name  bbbb", "----------", "x        2", "----------",
    ]  # fmt: skip


texts = st.text("ab±1", max_size=12)


@given(st.lists(st.tuples(*[texts] * 6), min_size=1, max_size=4), st.booleans())
def test_every_cell_is_there_and_no_line_is_too_wide(rows: list[tuple[str, ...]], right: bool) -> None:
    head = [tuple("abcdef")]
    lines = in_columns(head, rows, width=30, right=right)
    assert max(map(len, lines)) <= 30
    words = " ".join(lines).split()
    for row in rows:
        for cell in filter(None, row):
            assert cell in words
