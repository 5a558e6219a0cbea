"""Tables of tools: their calls, rules and approvals."""
