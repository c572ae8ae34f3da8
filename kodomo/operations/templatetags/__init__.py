"""Template filters of the operators' screens (casework side)."""
