"""Business rules, independent of aiogram: access, turns, models, budgets, maintenance."""
