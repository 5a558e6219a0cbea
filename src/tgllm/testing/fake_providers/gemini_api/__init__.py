"""The Gemini API: request bodies, validation, files, signatures, responses."""
