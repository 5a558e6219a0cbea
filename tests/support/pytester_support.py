"""How tests run pytest on a project of their own, in a process of its own."""

_UNUSED = ("cacheprovider", "xdist", "cov", "hypothesispytest")
"""Plugins that those tests don't need; loading Hypothesis alone takes a second of CPU."""
OPTIONS = (*(option for name in _UNUSED for option in ("-p", f"no:{name}")), "-W", "error")
INI = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\npythonpath = .\n"
