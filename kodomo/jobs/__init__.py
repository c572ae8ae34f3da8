"""Long work that survives being killed: the ledger of runs, and sequences of stages (casework and operator side)."""
