"""Source of an answer: Markdown as models write it, made ready for the parser, and the parser itself."""
