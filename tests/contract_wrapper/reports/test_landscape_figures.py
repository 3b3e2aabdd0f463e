import dataclasses

import numpy as np
import pytest
from made_up_landscapes import made_up_landscape

from contract_wrapper.contracts.contract import Contract
from contract_wrapper.errors import ContractsError
from contract_wrapper.landscapes.landscape import Landscape
from contract_wrapper.landscapes.table.fields import TAX_FORM
from contract_wrapper.reports.landscape_figures import draw_alike, draw_welfare
from contract_wrapper.reports.landscape_findings import Findings
from contract_wrapper.reports.landscape_gain_figures import draw_gains, draw_margins
from contract_wrapper.reports.landscape_style import apart, cell_edges, in_words, runs
from contract_wrapper.reports.landscape_threshold_figure import draw_free_riding

ALL = (draw_welfare, draw_gains, draw_margins, draw_alike, draw_free_riding)


def only(landscape: Landscape, keep: np.ndarray) -> Landscape:
    """The same landscape with some of its contracts alone."""
    at = {int(k): i for i, k in enumerate(np.flatnonzero(keep))}
    tried = [c for c, k in enumerate(landscape.tried_at) if keep[k]]
    fields = {}
    for name, axes in TAX_FORM.axes.items():
        array = getattr(landscape, name)
        if "K" in axes:
            array = np.compress(keep, array, axis=axes.index("K"))
        if "C" in axes:
            array = np.take(array, tried, axis=axes.index("C"))
        fields[name] = np.array([at[int(k)] for k in array], np.int64) if name == "tried_at" else array
    return dataclasses.replace(landscape, **fields)


def without_gains(landscape: Landscape) -> Landscape:
    """The same landscape in which nobody deviated."""
    names = ("gains", "gains_se", "tried", "tried_se")
    nothing = {name: np.full_like(getattr(landscape, name), np.nan) for name in names}
    return dataclasses.replace(landscape, **nothing, strongest=np.full_like(landscape.strongest, -1))


def refused(landscape: Landscape) -> Landscape:
    """The same landscape in which every contract takes 1,000 apples from everybody."""
    utilities = landscape.utilities.copy()
    utilities[:, 1:] -= 1000.0
    return dataclasses.replace(landscape, utilities=utilities)


@pytest.fixture(scope="module")
def found():
    return Findings(landscape=made_up_landscape(4, n_taxes=21))


def title(figure):
    return figure.get_suptitle().replace("\n", " ")


def with_gid(axes, gid):
    return [artist for artist in (*axes.lines, *axes.patches) if artist.get_gid() == gid]


def outlined(axes, gid, found):
    """Contracts whose tax lies within an outline of their row."""
    inside = set()
    for box in with_gid(axes, gid):
        row = found.crews[round(box.get_y() + box.get_height() / 2)]
        low, high = box.get_x(), box.get_x() + box.get_width()
        inside |= {int(k) for k, tax in zip(row.numbers, row.tax, strict=True) if low <= tax <= high}
    return inside


@pytest.mark.parametrize("gid", ["feasible", "certified"])
def test_outlines_hold_the_contracts_of_the_mask_and_no_other(found, gid):
    mask = getattr(found, gid)
    assert 0 < mask.sum() < len(mask) - 1
    assert outlined(draw_welfare(found).axes[0], gid, found) == set(np.flatnonzero(mask).tolist())


def test_the_map_has_a_coloured_cell_for_every_contract_with_cleaners(found):
    meshes = draw_welfare(found).axes[0].collections
    values = np.concatenate([mesh.get_array().ravel() for mesh in meshes])
    assert sorted(values) == pytest.approx(sorted(found.landscape.welfare.mean(axis=0)[1:]))


def test_the_star_stands_on_the_best_contract_and_dots_on_those_alike(found):
    axes = draw_welfare(found).axes[0]
    best = found.landscape.contracts()[found.best]
    (star,) = with_gid(axes, "best")
    assert (star.get_xdata()[0], star.get_ydata()[0] + 1) == (best.tax, best.n_cleaners)
    dots = sorted((float(x), int(y) + 1) for line in with_gid(axes, "alike") for x, y in line.get_xydata())
    alike = [c for c, ok in zip(found.landscape.contracts(), found.alike, strict=True) if ok]
    assert dots == sorted((c.tax, c.n_cleaners) for c in alike)


def test_welfare_is_named_with_its_unit_and_the_bands_say_what_they_are(found):
    figure = draw_welfare(found)
    assert figure.axes[0].get_xlabel() == "tax (share of harvest income)"
    assert figure.axes[0].get_ylabel() == "cleaners recruited"
    assert "welfare (apples per episode)" in {axes.get_ylabel() for axes in figure.axes}
    assert "95 % intervals over 4 trainings" in figure.subfigs[1].get_supxlabel()


def test_a_line_is_thick_where_its_contracts_are_certified_and_ends_where_they_end(found):
    thick = with_gid(draw_welfare(found).subfigs[1].axes[0], "certified")
    drawn = {(float(x), round(float(y), 9)) for line in thick for x, y in line.get_xydata()}
    at = np.flatnonzero(found.certified)
    welfare = found.welfare.mean[at]
    assert drawn == {(float(x), round(float(y), 9)) for x, y in zip(found.landscape.tax[at], welfare, strict=True)}
    assert all(np.isfinite(line.get_ydata()).all() for line in thick)


def test_a_contract_far_below_the_best_does_not_set_the_limits_near_the_best(found):
    """All crews but one training collapse at tax 1: its interval is hundreds of apples wide."""
    table = found.landscape
    welfare, last = table.welfare.copy(), np.flatnonzero(table.tax == 1.0)
    welfare[:, last] = [[0.0], [0.0], [0.0], [2000.0]]
    right = [
        draw_welfare(Findings(landscape=dataclasses.replace(table, welfare=w))).subfigs[1].axes[1]
        for w in (table.welfare, welfare)
    ]
    assert right[1].get_ylim() == pytest.approx(right[0].get_ylim(), rel=0.02)


def test_the_title_says_how_many_are_feasible_certified_and_alike(found):
    text = title(draw_welfare(found))
    assert f"Best certified contract: {found.named(found.best)}" in text
    assert f"{found.feasible.sum()} are feasible, {found.certified.sum()} certified" in text
    assert f"{found.alike.sum()} cannot be told from the best" in text


def test_epsilon_stands_in_every_panel_of_gains(found):
    axes = draw_gains(found).axes
    assert len(axes) == 2 * 5
    for ax in axes:
        (line,) = with_gid(ax, "epsilon")
        assert line.get_ydata()[0] == pytest.approx(found.landscape.default_epsilon())


def test_gains_show_free_rider_learned_deviators_and_the_strongest(found):
    figure = draw_gains(found)
    names = [text.get_text() for text in figure.subfigs[0].legends[0].get_texts()]
    assert names == [
        "the free rider (never work)", "learned anew", "learned on",
        "strongest of all that were tried, measured on other episodes",
        f"epsilon, {found.landscape.default_epsilon():.2f}",
    ]  # fmt: skip
    (line,) = with_gid(figure.axes[0], "the free rider (never work)")
    at = [c for c, k in enumerate(found.landscape.tried_at) if found.landscape.n_cleaners[k] == 1]
    assert line.get_ydata() == pytest.approx(found.landscape.tried[:, at, 0, 0].mean(axis=0))


def test_harvesters_have_no_free_rider(found):
    harvesters = draw_gains(found).axes[5]
    assert harvesters.get_ylabel() == "gain of a lone harvester\n(apples per episode)"
    assert not with_gid(harvesters, "the free rider (never work)")


def test_margins_show_the_worst_off_agents_and_the_taxes_that_everybody_accepts(found):
    figure = draw_margins(found)
    axes = figure.axes
    assert figure.subfigs[0].get_supylabel() == "margin (apples per episode)"
    crew, margins = found.crews[1], found.landscape.margins()
    (worst,) = with_gid(axes[1], "worst cleaner")
    cleaners = margins[:, crew.numbers][:, :, found.landscape.of_role("cleaner")[:2]]
    assert worst.get_ydata() == pytest.approx(cleaners.min(axis=2).mean(axis=0))
    covered = [tax for tax in crew.tax for bar in with_gid(axes[1], "feasible")
               if bar.get_xdata()[0] <= tax <= bar.get_xdata()[1]]  # fmt: skip
    assert covered == crew.tax[found.feasible[crew.numbers]].tolist()


def test_the_worst_off_agent_is_another_one_in_each_training():
    table = made_up_landscape(2, n_taxes=3)
    utilities = table.utilities.copy()
    utilities[0, 1:, 0] -= 10.0
    utilities[1, 1:, 1] -= 20.0
    found = Findings(landscape=dataclasses.replace(table, utilities=utilities))
    usual = table.margins()[:, 2, 2]
    assert found.margins_of("harvester", "worst").mean[2] == pytest.approx((usual - [10.0, 20.0]).mean())
    assert found.margins_of("harvester", "best").mean[2] == pytest.approx(usual.mean())


def test_alike_contracts_are_green_and_all_others_that_compete_grey(found):
    axes = [ax for ax in draw_alike(found).axes if ax.get_title(loc="left")]
    points = {
        gid: sum(len(line.get_xdata()) for ax in axes for line in with_gid(ax, gid)) for gid in ("alike", "told apart")
    }
    assert points == {"alike": found.alike.sum() - 1, "told apart": (found.competing & ~found.alike).sum()}


def test_differences_are_paired_so_what_a_training_brings_to_all_cancels():
    table = made_up_landscape(3)
    luck = np.array([[100.0], [-300.0], [50.0]])
    plain, lucky = (Findings(landscape=dataclasses.replace(table, welfare=table.welfare + add)) for add in (0.0, luck))
    assert plain.best == lucky.best
    assert lucky.behind.upper == pytest.approx(plain.behind.upper, nan_ok=True)
    assert np.isfinite(plain.behind.upper).sum() == plain.competing.sum() - 1


def test_free_riding_has_a_marker_per_training_measured_and_predicted(found):
    figure = draw_free_riding(found)
    for gid, by_crew in (("measured", found.thresholds), ("predicted", found.predictions)):
        markers = with_gid(figure.axes[0], f"{gid}, one training")
        assert len(markers) == 5 * 4
        heights = sorted(float(m.get_ydata()[0]) for m in markers)
        expected = sorted(min(float(t), 1.25) for it in by_crew.values() for t in it.per_training)
        assert heights == pytest.approx(expected)


def test_the_title_tells_the_tax_from_which_nobody_free_rides(found):
    text = title(draw_free_riding(found))
    assert f"{found.thresholds[3].interval.mean:.2f} (3 cleaners)" in text


@pytest.mark.parametrize("draw", ALL)
def test_one_training_is_said_to_say_nothing_of_others(draw):
    figure = draw(Findings(landscape=made_up_landscape(1, n_taxes=5)))
    notes = " ".join(part.get_supxlabel() for part in (figure, *figure.subfigs)).replace("\n", " ")
    assert "the episodes of one training" in notes or "nothing is known of others" in notes


@pytest.mark.parametrize("draw", ALL)
@pytest.mark.parametrize("sizes", [(3,), (2, 5)])
def test_some_crew_sizes_alone_can_be_drawn(draw, sizes):
    table = made_up_landscape(2, n_taxes=11)
    found = Findings(landscape=only(table, np.isin(table.n_cleaners, (0, *sizes))))
    figure = draw(found)
    figure.draw_without_rendering()
    assert [crew.n_cleaners for crew in found.crews] == list(sizes)


def test_a_single_contract_can_be_drawn_and_its_interval_is_seen():
    table = made_up_landscape(3, n_taxes=3)
    found = Findings(landscape=only(table, np.arange(len(table.tax)) <= 1))
    for draw in (draw_welfare, draw_gains, draw_margins):
        figure = draw(found)
        figure.draw_without_rendering()
        lines = [c for ax in figure.axes for c in ax.collections if type(c).__name__ == "LineCollection"]
        assert lines


def test_without_a_feasible_contract_nothing_is_outlined_and_the_set_says_why():
    found = Findings(landscape=refused(made_up_landscape(2)))
    figure = draw_welfare(found)
    assert title(figure) == "None of 55 contracts is feasible"
    assert not figure.axes[0].patches
    assert title(draw_margins(found)) == "Under every contract somebody has less than without it"
    with pytest.raises(ContractsError, match="no contract is feasible"):
        draw_alike(found)


def test_without_gains_nothing_is_certified_and_the_best_feasible_is_told():
    found = Findings(landscape=without_gains(made_up_landscape(2)))
    figure = draw_welfare(found)
    assert "Best feasible contract" in title(figure)
    assert not with_gid(figure.axes[0], "certified")
    with pytest.raises(ContractsError, match="no gain of any deviation was measured"):
        draw_gains(found)
    assert "is not known for any crew size" in title(draw_free_riding(found))


def test_gains_that_are_missing_in_places_leave_a_gap():
    table = made_up_landscape(2)
    gains, strongest = table.gains.copy(), table.strongest.copy()
    gap = table.number(Contract(tax=float(table.tax[3]), n_cleaners=1))
    gains[1, gap, 0], strongest[1, gap, 0] = np.nan, -1
    found = Findings(landscape=dataclasses.replace(table, gains=gains, strongest=strongest))
    (line,) = with_gid(draw_gains(found).axes[0], "strongest of all that were tried, measured on other episodes")
    assert np.flatnonzero(np.isnan(line.get_ydata())).tolist() == [gap - 1]
    assert not found.certified[gap]


def test_one_certified_contract_is_said_to_be_the_only_one():
    table = made_up_landscape(3)
    gains = table.gains + 50.0
    gains[:, 40] = table.gains[:, 40]
    found = Findings(landscape=dataclasses.replace(table, gains=gains))
    assert np.flatnonzero(found.certified).tolist() == [40]
    assert title(draw_alike(found)) == f"Only one contract is certified: {found.named(40)}"
    assert "no other one is certified" in title(draw_welfare(found))


def test_cells_reach_halfway_to_the_next_tax():
    assert cell_edges([0.1, 0.2, 0.6]) == pytest.approx([0.05, 0.15, 0.4, 0.8])
    assert cell_edges([0.0, 1.0]).tolist() == [0.0, 0.5, 1.0]
    assert cell_edges([0.5]) == pytest.approx([0.48, 0.52])


def test_runs_of_an_empty_and_a_full_mask():
    assert runs([False, False]) == []
    assert runs([True, True]) == [(0, 1)]


def test_labels_keep_their_order_and_their_distance():
    placed = apart([3.0, 1.0, 1.1, 1.2], 0.5)
    assert placed == pytest.approx([3.0, 0.6, 1.1, 1.6])


def test_a_dollar_sign_in_a_name_begins_no_formula():
    assert in_words("pay $x$") == r"pay \$x\$"
