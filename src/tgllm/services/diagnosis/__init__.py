"""Checks of ``tgllm doctor``, a module for each subject; they run side by side, each with a time limit."""
