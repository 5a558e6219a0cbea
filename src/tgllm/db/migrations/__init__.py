"""Migrations: a file `NNNN_name.sql` for each step of the schema, and the module that reads them."""
