"""Where evaluations and trainings are done: on processes of this machine, or on a Ray cluster."""
