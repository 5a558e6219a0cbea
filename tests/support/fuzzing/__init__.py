"""Strategies of hypothesis for what reaches the bot from outside."""
