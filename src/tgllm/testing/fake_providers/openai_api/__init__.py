"""OpenAI's chat completions API and its dialects: request bodies, responses and lists of models."""
