"""What several readers of files share: bounded texts, tables, archives, XML."""
