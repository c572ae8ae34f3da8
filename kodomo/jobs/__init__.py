"""Long work that survives being killed: the ledger of runs, sequences of stages, and jobs started from pages (shared by the sides)."""
