"""Where the contents of files are: in the data folder, and in an object store behind it."""
