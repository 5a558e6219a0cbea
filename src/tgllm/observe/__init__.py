"""Logging for the operator, with secrets redacted."""
