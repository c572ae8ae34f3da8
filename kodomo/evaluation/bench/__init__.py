"""Runs every learner on an outside table beside well-known peers, on the same folds (analysis side)."""
