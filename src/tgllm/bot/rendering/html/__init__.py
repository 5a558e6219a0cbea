"""HTML in the Markdown of models: tags, their nodes, and the formats within paragraphs."""
