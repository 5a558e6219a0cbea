"""Cost of reading files: seconds and memory, and the latency of other chats meanwhile."""
