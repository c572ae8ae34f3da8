"""Migrations of the operators' tables (casework side)."""
