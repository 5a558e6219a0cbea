"""Child processes in which file handlers run and pictures are prepared."""
