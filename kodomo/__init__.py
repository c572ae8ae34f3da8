"""こどもみらい: from a municipality's extracts to a child a caseworker has assessed."""

__version__ = "0.1.0"
