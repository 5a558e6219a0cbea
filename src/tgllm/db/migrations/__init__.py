"""Schema migrations, a file `NNNN_name.sql` each, and the module that reads them."""
