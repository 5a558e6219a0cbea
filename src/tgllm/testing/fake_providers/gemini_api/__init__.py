"""The Gemini API: bodies, checks, files, signatures, streams."""
