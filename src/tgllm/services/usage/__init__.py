"""Usage and cost: accounting, statistics, reports."""
