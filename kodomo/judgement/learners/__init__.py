"""The learners: each on a plain table of numbers with gaps, each deterministic for a seed (analysis side)."""
