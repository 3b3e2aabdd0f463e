"""optuna-dashboard on a small study of this package, asked as its pages ask it, without a network."""

import io
import json
import tempfile
from importlib.metadata import version
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import optuna_dashboard

from cleanup_env import make_config
from contract_wrapper import EvaluationSettings, SearchSettings, Study, evaluate, get_mtmfq_profile


def get(path):
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}
    setup_testing_defaults(environ)
    body = b"".join(app(environ, lambda *_: None))
    return json.loads(body)


learner = get_mtmfq_profile("smoke", episodes=8, n_games=8)
settings = EvaluationSettings(game=make_config("contract", horizon=20), learner=learner, episodes=4)
with tempfile.TemporaryDirectory() as above:
    folder = Path(above) / "my study"
    study = Study(folder, settings, SearchSettings(n_initial=3, n_search=1, n_confirm=0))
    for trial in study.open_trials():
        study.finish(trial.number, evaluate(trial.contract, settings, seed=trial.seed))
    study.close()
    app = optuna_dashboard.wsgi(f"sqlite:///{folder / 'study.sqlite3'}")
    (summary,) = get("/api/studies")["study_summaries"]
    detail = get(f"/api/studies/{summary['study_id']}")
assert (detail["name"], detail["objective_names"]) == ("my study", ["welfare"])
assert [trial["state"] for trial in detail["trials"]] == ["Complete"] * 4
assert all(trial["constraints"] for trial in detail["trials"][1:])
what = "a study's name, objective, trials, feasibility"
print(json.dumps({"client": "optuna-dashboard", "version": version("optuna-dashboard"), "what": what, "ends": None}))
