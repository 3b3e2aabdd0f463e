"""Made-up results whose names hold markup, and what a page is made of."""

import dataclasses
import json
from html.parser import HTMLParser

from made_up_crews import certificate_of
from made_up_designs import made_up_designs
from made_up_studies import make_study

from contract_wrapper.reports.html.document import Making

SCRIPT = "</script><script>window.hacked = 1</script>"
IMAGE = "<img src=x onerror='window.hacked = 2'>"
QUOTES = "\"'&amp;`\u2028\u2029${window.hacked = 3}"
FORMULA = "$$\\href{javascript:hacked}{x}$$"
HOSTILE = (SCRIPT, IMAGE, QUOTES, FORMULA)

MAKING = Making(
    made_by=(f"begun by: {SCRIPT}", IMAGE),
    command=f"cleanup-contracts optimize {SCRIPT}",
    remark=IMAGE,
    settings=f'costs = "{SCRIPT}"\n',
    versions={IMAGE: SCRIPT},
)


def hostile_study(folder):
    """A study of agents with such names, with a failure and certificates that hold markup, too."""
    study = make_study(folder)
    names = {f"harvester_{i}": name for i, name in enumerate(HOSTILE)}
    trials = []
    for trial in study.trials:
        outcome = trial.outcome
        if outcome is not None:
            utilities = {names.get(agent, agent): u for agent, u in outcome.utilities.items()}
            roles = dict.fromkeys(HOSTILE, "harvester")
            curve = {**outcome.training_curve, IMAGE: outcome.training_curve["harvester"]}
            outcome = dataclasses.replace(outcome, utilities=utilities, roles=roles, training_curve=curve)
        trials.append(dataclasses.replace(trial, outcome=outcome, failure=trial.failure and SCRIPT + IMAGE))
    study = dataclasses.replace(study, trials=tuple(trials))
    best = certificate_of(study.best().contract)
    gains = tuple(dataclasses.replace(gain, role=IMAGE, deviation=SCRIPT) for gain in best.gains)
    margins = tuple(dataclasses.replace(margin, name=SCRIPT) for margin in best.margins)
    return dataclasses.replace(study, certificates=(dataclasses.replace(best, gains=gains, margins=margins),))


def hostile_landscape():
    """A landscape of designs with such names of the problem, of terms and deviations, and such a command.

    A landscape refuses such terms and deviations; here they are put in behind its back.
    """
    made = made_up_designs(("first", "second"))
    about = {
        "problem": {**made.about["problem"], "name": SCRIPT + QUOTES},
        "command": MAKING.command,
        "versions": dict(MAKING.versions),
    }
    made = dataclasses.replace(made, about=about)
    object.__setattr__(made, "terms", (IMAGE, SCRIPT, "n_cleaners"))
    object.__setattr__(made, "deviations", HOSTILE)
    return made


class Parts(HTMLParser):
    """Elements, what they would load, plain data and text of a page, as a browser takes them."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.elements, self.loads, self.data, self.texts, self.handlers = [], [], [], [], []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self._inside = tag
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "poster"):
                self.loads.append(value)
            if name.startswith("on"):
                self.handlers.append(value)
        if tag == "script":
            self._inside = "json" if ("type", "application/json") in attrs else "script"

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "json":
            self.data.append(json.loads(data))
        elif self._inside not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)
