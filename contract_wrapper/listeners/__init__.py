"""Who is told of trainings while they run: TensorBoard, Weights & Biases, MLflow, or a listener of yours."""
