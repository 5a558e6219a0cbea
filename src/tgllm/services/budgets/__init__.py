"""Budgets: limits, reservations, alerts, changes by admins, and the message rate."""
