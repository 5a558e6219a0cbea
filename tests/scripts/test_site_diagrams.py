"""The columns of an entity diagram become tables, which can be read on a page."""

from docs_support import blocks
from site_diagrams import columns

SOURCE = """erDiagram
    users {
        INTEGER id PK "Telegram's id"
        TEXT name
    }
    facts {
        INTEGER id PK, FK "a | b"
    }
    kv {
        TEXT key PK ""
    }
    users ||--o{ facts : "pinned"
"""


def test_related_tables_stay_with_their_keys() -> None:
    diagram, _ = columns(SOURCE)

    assert diagram.splitlines() == [
        "erDiagram",
        '    users ||--o{ facts : "pinned"',
        "    users {",
        "        INTEGER id PK",
        "    }",
        "    facts {",
        "        INTEGER id PK, FK",
        "    }",
    ]


def test_every_column_is_in_a_table() -> None:
    _, tables = columns(SOURCE)

    assert "**`users`**\n\n| column | type | key | meaning |\n" in tables
    assert "| `id` | INTEGER | PK | Telegram's id |\n| `name` | TEXT |  |  |\n" in tables
    assert "| `id` | INTEGER | PK, FK | a \\| b |\n" in tables
    assert "**`kv`**" in tables


def test_other_diagrams_are_left_alone() -> None:
    assert columns("flowchart LR\n    a --> b\n") == ("flowchart LR\n    a --> b\n", "")


def test_no_column_of_the_database_is_lost() -> None:
    (source,) = blocks("reference/database.md", "mermaid")
    diagram, tables = columns(source)
    lines = [line for line in source.splitlines() if line.startswith(" " * 8)]

    assert len(lines) > 100
    assert tables.count("\n| `") == len(lines)
    assert diagram.count("--") == source.count("--")
