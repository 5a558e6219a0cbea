"""Sphinx settings of the documentation site; scripts/build_site.py builds it."""

import tomllib
from pathlib import Path

_PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "tgllm"
author = "The tgllm authors"
copyright = author  # noqa: A001  Sphinx's name
version = release = _PROJECT["version"]
language = "en"

root_doc = "index"
source_suffix = {".md": "markdown"}
extensions = ["myst_parser"]
myst_enable_extensions = ["alert", "attrs_inline", "html_image"]
myst_heading_anchors = 6
# Blocks in these languages are shown as they are.
highlight_language = "none"
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"tgllm {version}"
html_short_title = "tgllm"
html_logo = "_static/logo.svg"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_theme_options = {
    "sidebar_hide_name": False,
    "top_of_page_buttons": [],
    "light_css_variables": {
        "color-brand-primary": "#0b6e99",
        "color-brand-content": "#0b6e99",
        "color-brand-visited": "#6b4e9b",
    },
    "dark_css_variables": {
        "color-brand-primary": "#62c3ea",
        "color-brand-content": "#62c3ea",
        "color-brand-visited": "#b79ae0",
    },
}
