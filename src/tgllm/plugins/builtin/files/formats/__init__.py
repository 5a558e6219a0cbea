"""Parts of the formats of PDF, Office and OpenDocument files, which their readers put together."""
