"""The desks of the coordinating, holding and analysing parties: reads through the operators' door, works through jobs (casework side)."""
