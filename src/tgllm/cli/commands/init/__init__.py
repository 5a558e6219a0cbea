"""Dialogue of ``tgllm init``, step by step."""
