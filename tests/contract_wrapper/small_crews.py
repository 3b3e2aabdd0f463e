"""Settings under which crews for every contract are trained in a second."""

from cleanup_env import make_config
from contract_wrapper.evaluation.by_crews.crew_settings import CrewSettings
from contract_wrapper.evaluation.settings import EvaluationSettings
from contract_wrapper.learners.mtmfq_profiles import get_mtmfq_profile

LEARNER = get_mtmfq_profile("smoke", episodes=24, n_games=4, hidden=(8,), n_step=5, updates_per_step=0.5)
SETTINGS = EvaluationSettings(
    game=make_config("contract", horizon=20),
    learner=get_mtmfq_profile("smoke", episodes=16, n_games=8, batch_size=64, replay_capacity=100),
    episodes=4,
    crews=CrewSettings(learner=LEARNER, sizes=(1, 3), trainings=2, seed=7),
)
