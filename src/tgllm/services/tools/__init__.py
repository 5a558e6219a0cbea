"""Tools: which ones a turn may use, their calls, approvals and limits."""
