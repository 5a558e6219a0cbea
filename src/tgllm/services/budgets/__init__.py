"""Budgets: limits, reservations, the ledger, alerts, changes, the message rate."""
