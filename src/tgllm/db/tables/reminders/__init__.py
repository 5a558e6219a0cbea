"""The table of reminders and scheduled prompts."""
