"""cPMES on a custom black box: two variables, two constraints, nothing of Clean-up in it."""

from contract_wrapper import CPMES, DesignSpace, Integer, Real

SPACE = DesignSpace(
    dimensions=(Real(name="tax", low=0.0, high=1.0, step=0.01), Integer(name="cleaners", low=1, high=5))
)


def world(tax: float, cleaners: int) -> tuple[float, float, float]:
    """Welfare, what a harvester gains, what a cleaner earns: a made-up economy."""
    harvest = 150.0 + 100.0 * cleaners * min(1.0, tax / 0.2) - 12.0 * cleaners**2
    return harvest - 20.0 * cleaners, (1.0 - tax) * harvest / 5 - 30.0, tax * harvest / cleaners - 20.0


def main(evaluations: int = 20) -> tuple[tuple[float, ...], float]:
    """Search; return the best design that holds both constraints, and its welfare."""
    search = CPMES(SPACE, seed=0, constraints=("harvester", "cleaner"), participation=1)
    for _ in range(evaluations):
        (suggestion,) = search.ask()
        welfare, harvester, cleaner = world(*suggestion.design)
        search.tell(suggestion.design, welfare, [harvester, cleaner])
        print(suggestion.why(), f"-> {welfare:.1f}")
    history = search.history
    good = history.feasible()
    if not good.any():
        raise SystemExit("nothing feasible was found: allow more evaluations")
    best = max(range(len(history)), key=lambda i: history.objective[i] if good[i] else -float("inf"))
    design = SPACE.as_design(history.designs[best])
    print(f"best: {design} with welfare {history.objective[best]:.1f}")
    return design, float(history.objective[best])


if __name__ == "__main__":
    main()
