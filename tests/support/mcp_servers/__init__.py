"""Servers for tests of tgllm-mcp."""
