"""PettingZoo's own tests of both its interfaces, on the game alone and under a contract."""

import contextlib
import io
import json
import warnings
from importlib.metadata import version

from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test
from pettingzoo.utils import BaseParallelWrapper, parallel_to_aec

import cleanup_env
from contract_wrapper import Contract, make_contracted

ends = 0


class Counted(BaseParallelWrapper):
    """Counts episodes that were played to their end."""

    def step(self, actions):
        global ends
        before, played = bool(self.agents), super().step(actions)
        ends += before and not self.agents
        return played


def bare(n_cleaners=2):
    return cleanup_env.parallel_env(n_cleaners=n_cleaners, horizon=20)


def contracted():
    return make_contracted(Contract(tax=0.3, n_cleaners=2), bare)


warnings.simplefilter("ignore")
with contextlib.redirect_stdout(io.StringIO()):
    for build in (bare, contracted):
        parallel_api_test(Counted(build()), num_cycles=50)
        parallel_seed_test(lambda build=build: Counted(build()), num_cycles=50)
        api_test(parallel_to_aec(Counted(build())), num_cycles=300)
        seed_test(lambda build=build: parallel_to_aec(Counted(build())), num_cycles=300)
what = "api and seed tests, parallel and turn-based"
print(json.dumps({"client": "PettingZoo", "version": version("pettingzoo"), "what": what, "ends": ends}))
