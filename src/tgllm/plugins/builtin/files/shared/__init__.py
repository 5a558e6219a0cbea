"""What the file handlers share: bounded output, encodings, kinds of text and Markdown."""
