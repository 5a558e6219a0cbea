"""Full-text indexes of files and messages, one module for each kind of database."""
