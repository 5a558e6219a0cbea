"""Reminders and scheduled prompts: when they are due, and what people write to set them."""
