"""Descriptions and schemas of the tools, for models."""

from tgllm.api.types import JsonObject

__all__ = ["READ", "READ_DESCRIPTION", "READ_SCHEMA", "SEARCH", "SEARCH_DESCRIPTION", "SEARCH_SCHEMA"]

SEARCH = "web_search"
SEARCH_DESCRIPTION = (
    "Searches the web and returns titles, URLs and excerpts of pages. Use it for current events, and for facts that "
    "you are not sure of. Don't put personal data into the query."
)
SEARCH_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "query": {"type": "string", "minLength": 1, "maxLength": 400, "description": "What to search for"},
        "language": {"type": "string", "pattern": "^[a-z]{2}$", "description": "Language of the pages, such as en"},
        "time_range": {
            "type": "string",
            "enum": ["day", "week", "month", "year"],
            "description": "Only pages that are not older",
        },
        "count": {"type": "integer", "minimum": 1, "maximum": 20, "description": "Number of results"},
    },
    "required": ["query"],
    "additionalProperties": False,
}
READ = "read_page"
READ_DESCRIPTION = (
    "Reads a web page and returns its text as Markdown, with its links. Use it for a URL that the person has given, "
    "for a result of a search, or for a link of a page that was read; make no URLs up. A long page has several parts."
)
READ_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "url": {"type": "string", "description": "Full URL of the page, beginning with https:// or http://"},
        "part": {"type": "integer", "minimum": 1, "description": "Part of a long page; 1 if it is left out"},
    },
    "required": ["url"],
    "additionalProperties": False,
}
