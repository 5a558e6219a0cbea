"""How tests run pytest on a project of their own, in a process of its own."""

OPTIONS = ("-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:cov", "-W", "error")
INI = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\npythonpath = .\n"
