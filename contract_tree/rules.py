"""The rules of a round, compiled: every player decides, top down; nature draws; every player learns.

One set of rules serves all built-in players; they differ in their parameters
(`contract_tree.player_parameters`). A principal goes through three phases (page 5's wait, search,
commit): it plays as if it had no agents; it finds by bisection what each child needs for each
action; it offers that, and maximises what it keeps over its own and its children's actions.

Names: `nodes` NODE (n,); `minds` MIND (n,); `own` ARM and `prices` PRICE (all actions,); `cells`
ARM (all cells,); `words` (1 + n, 4), row 0 nature's, row 1 + v that of player v.
"""

from __future__ import annotations

import math

from contract_tree.layout import COMMIT, SEARCH, UNTRIED, WAIT
from contract_tree.numba_tools import inlined, kernel
from contract_tree.random_stream import draw_below, draw_normal, draw_unit


@inlined
def decide(nodes, minds, own, cells, prices, words, v, t):
    """Player v sees its offer in `minds[v]`, chooses its action and makes its offers, in round t (from 0)."""
    node, mind = nodes[v], minds[v]
    if mind.phase == WAIT and node.halvings > 0 and t >= node.start:
        mind.phase = SEARCH
    if mind.phase == SEARCH:
        mind.action = draw_below(words, 1 + v, node.n_actions)
        offer_midpoints(nodes, minds, prices, v)
    elif mind.phase == COMMIT:
        commit(nodes, minds, cells, prices, v)
    else:
        best, mind.action = -math.inf, 0
        for action in range(node.n_actions):
            value = own[node.first_action + action].index
            if action == mind.recommended:
                value += mind.payment
            if value > best:
                best, mind.action = value, action
        for u in range(node.first_child, node.first_child + node.n_children):
            minds[u].recommended, minds[u].payment = -1, 0.0


@inlined
def offer_midpoints(nodes, minds, prices, v):
    """Offer every child the middle of its bracket for the action whose turn it is."""
    node, step = nodes[v], minds[v].step
    action = step % node.most_actions if node.interleaved else step // node.halvings
    for u in range(node.first_child, node.first_child + node.n_children):
        if action < nodes[u].n_actions:
            price = prices[nodes[u].first_action + action]
            minds[u].recommended, minds[u].payment = action, 0.5 * (price.low + price.high)
        else:
            minds[u].recommended, minds[u].payment = -1, 0.0


@inlined
def commit(nodes, minds, cells, prices, v):
    """Choose the best joint cell: index - payments to the children + own payment where it is followed."""
    node, mind = nodes[v], minds[v]
    best, chosen = -math.inf, 0
    for action in range(node.n_actions):
        bonus = mind.payment if action == mind.recommended else 0.0
        for cell in range(action * node.n_below, (action + 1) * node.n_below):
            arm = cells[node.first_cell + cell]
            value = arm.index - arm.cost + bonus
            if value > best:
                best, chosen = value, cell
    mind.action = chosen // node.n_below
    rest = chosen % node.n_below
    for u in range(node.first_child + node.n_children - 1, node.first_child - 1, -1):
        action = rest % nodes[u].n_actions
        rest //= nodes[u].n_actions
        minds[u].recommended, minds[u].payment = action, prices[nodes[u].first_action + action].pay


@inlined
def played_cell(nodes, minds, v):
    """Position of what v and its children really played, among all cells."""
    node = nodes[v]
    cell = minds[v].action
    for u in range(node.first_child, node.first_child + node.n_children):
        cell = cell * nodes[u].n_actions + minds[u].action
    return node.first_cell + cell


@inlined
def draw_reward(words, mean, noise):
    """A reward with this mean: Gaussian with standard deviation `noise`, or, if that is negative, Bernoulli."""
    if noise < 0.0:
        return 1.0 if draw_unit(words, 0) < mean else 0.0
    return mean + noise * draw_normal(words, 0)


@inlined
def update(arm, node, reward, log_horizon):
    """Update mean, variance (Welford 1962) and index of an arm.

    index = mean + sqrt(spread V log T / n) + span log T / n, V the empirical variance (UCB-V, Audibert, Munos
    and Szepesvari 2009) where the player is aware of it, else 1, and then without the last term (UCB).
    """
    arm.n += 1.0
    before = reward - arm.mean
    arm.mean += before / arm.n
    arm.squares += before * (reward - arm.mean)
    width = log_horizon / arm.n
    if node.variance_aware:
        arm.index = arm.mean + math.sqrt(node.spread * width * arm.squares / arm.n) + node.span * width
    else:
        arm.index = arm.mean + math.sqrt(node.spread * width)


@inlined
def learn(nodes, minds, own, cells, prices, v, reward, log_horizon):
    """Player v sees its reward and what its children played."""
    node, mind = nodes[v], minds[v]
    if node.informed == 0:
        update(own[node.first_action + mind.action], node, reward, log_horizon)
    if node.n_children > 0:
        update(cells[played_cell(nodes, minds, v)], node, reward, log_horizon)
        if mind.phase == SEARCH:
            search(nodes, minds, cells, prices, v)
        elif mind.phase == COMMIT and node.watch > 0:
            watch(nodes, minds, cells, prices, v)


@kernel
def search(nodes, minds, cells, prices, v):
    """Count who took the offer; at the end of a batch halve each child's bracket by majority."""
    node, mind = nodes[v], minds[v]
    mind.rounds += 1
    decided = mind.rounds >= node.batch
    clear = node.lead > 0
    for u in range(node.first_child, node.first_child + node.n_children):
        if minds[u].recommended >= 0:
            price = prices[nodes[u].first_action + minds[u].recommended]
            if minds[u].action == minds[u].recommended:
                price.taken += 1
            if abs(2 * price.taken - mind.rounds) < node.lead:
                clear = False
    if not (decided or clear):
        return
    for u in range(node.first_child, node.first_child + node.n_children):
        if minds[u].recommended >= 0:
            price = prices[nodes[u].first_action + minds[u].recommended]
            if 2 * price.taken > mind.rounds:
                price.high = minds[u].payment
            else:
                price.low = minds[u].payment
            price.taken = 0
    mind.rounds = 0
    mind.step += 1
    if mind.step == node.halvings * node.most_actions:
        mind.phase = COMMIT
        for u in range(node.first_child, node.first_child + node.n_children):
            for k in range(nodes[u].first_action, nodes[u].first_action + nodes[u].n_actions):
                free = node.free_favourites and prices[k].low == 0.0
                prices[k].pay = 0.0 if free else prices[k].high + node.inflation
        charge(nodes, cells, prices, v)


@kernel
def watch(nodes, minds, cells, prices, v):
    """Raise a payment that was refused in the majority of the last `watch` rounds in which it was offered."""
    node = nodes[v]
    raised = False
    for u in range(node.first_child, node.first_child + node.n_children):
        price = prices[nodes[u].first_action + minds[u].recommended]
        price.offered += 1
        if minds[u].action != minds[u].recommended:
            price.refused += 1
        if price.offered == node.watch:
            if 2 * price.refused > price.offered:
                price.pay += node.inflation
                raised = True
            price.offered = price.refused = 0
    if raised:
        charge(nodes, cells, prices, v)


@kernel
def charge(nodes, cells, prices, v):
    """Write into every cell of v what its children's actions cost."""
    node = nodes[v]
    for cell in range(node.n_actions * node.n_below):
        rest, cost = cell, 0.0
        for u in range(node.first_child + node.n_children - 1, node.first_child - 1, -1):
            cost += prices[nodes[u].first_action + rest % nodes[u].n_actions].pay
            rest //= nodes[u].n_actions
        cells[node.first_cell + cell].cost = cost


@kernel
def wake(nodes, minds, own, cells, prices, means):
    """Bring one game's players to their first round; means: (all actions,), what informed players know."""
    for v in range(len(nodes)):
        node, mind = nodes[v], minds[v]
        mind.recommended, mind.payment, mind.action = -1, 0.0, 0
        mind.phase, mind.step, mind.rounds = node.first_phase, 0, 0
        for k in range(node.first_action, node.first_action + node.n_actions):
            own[k].index = means[k] if node.informed else UNTRIED
            prices[k].low, prices[k].high = 0.0, 1.0
    for k in range(len(cells)):
        cells[k].index = UNTRIED
    for v in range(len(nodes)):
        if nodes[v].first_phase == COMMIT:
            charge(nodes, cells, prices, v)
