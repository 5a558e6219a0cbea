"""Table ``models``: the models that providers listed last, and the default model."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tgllm.api.model_ref import ModelRef
from tgllm.db.engine.rows import BOOL, BOOL_OR_NONE, JSON_LIST, clean, dumps, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = ["Model", "NewModel", "default", "find", "get", "list_all", "retire_missing", "set_default", "upsert"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """A model as listed by its provider. Prices are millionths of a US dollar per million tokens."""

    provider: str
    model: str
    title: str
    aliases: Collection[str] = ()
    """Other ids for the same model."""
    context_window: int | None = None
    """In tokens."""
    max_output_tokens: int | None = None
    mime_types: Collection[str] = ()
    reasoning: bool = False
    input_price: int | None = None
    output_price: int | None = None
    cached_price: int | None = None
    cache_write_price: int | None = None
    price_as_of: str | None = None
    """Date of the prices, ``YYYY-MM-DD``."""
    tools: bool | None = None
    """Whether it can call tools; None: as its provider says."""


@dataclass(frozen=True, slots=True)
class Model:
    """A stored model; the fields are the columns of the table ``models``."""

    provider: str
    model: str
    title: str
    aliases: tuple[str, ...] = field(metadata=JSON_LIST)
    context_window: int | None
    max_output_tokens: int | None
    mime_types: tuple[str, ...] = field(metadata=JSON_LIST)
    reasoning: bool = field(metadata=BOOL)
    input_price: int | None
    output_price: int | None
    cached_price: int | None
    price_as_of: str | None
    is_default: bool = field(metadata=BOOL)
    first_seen_at: int
    last_seen_at: int
    retired_at: int | None
    cache_write_price: int | None
    tools: bool | None = field(default=None, metadata=BOOL_OR_NONE)

    @property
    def ref(self) -> ModelRef:
        """Reference to the model: ``provider/model``."""
        return ModelRef(self.provider, self.model)


_UPSERT = """
    INSERT INTO models (provider, model, title, aliases, context_window, max_output_tokens, mime_types, reasoning,
                        input_price, output_price, cached_price, cache_write_price, price_as_of, tools,
                        first_seen_at, last_seen_at)
    VALUES (:provider, :model, :title, :aliases, :context_window, :max_output_tokens, :mime_types, :reasoning,
            :input_price, :output_price, :cached_price, :cache_write_price, :price_as_of, :tools,
            :now, :now)
    ON CONFLICT (provider, model) DO UPDATE
    SET title = excluded.title, aliases = excluded.aliases, context_window = excluded.context_window,
        max_output_tokens = excluded.max_output_tokens, mime_types = excluded.mime_types,
        reasoning = excluded.reasoning, input_price = excluded.input_price, output_price = excluded.output_price,
        cached_price = excluded.cached_price, cache_write_price = excluded.cache_write_price,
        price_as_of = excluded.price_as_of, tools = excluded.tools,
        last_seen_at = excluded.last_seen_at, retired_at = NULL
"""


def upsert(conn: Connection, models: Iterable[NewModel], now: int) -> None:
    """Insert or update the models that a provider lists; a retired model becomes available again."""
    for new in models:
        values = {
            "provider": new.provider,
            "model": new.model,
            "title": clean(new.title),
            "aliases": dumps(list(new.aliases)),
            "context_window": new.context_window,
            "max_output_tokens": new.max_output_tokens,
            "mime_types": dumps(list(new.mime_types)),
            "reasoning": new.reasoning,
            "input_price": new.input_price,
            "output_price": new.output_price,
            "cached_price": new.cached_price,
            "cache_write_price": new.cache_write_price,
            "price_as_of": new.price_as_of,
            "tools": new.tools,
            "now": now,
        }
        conn.execute(_UPSERT, values)


def retire_missing(conn: Connection, provider: str, listed: Collection[str], now: int) -> list[ModelRef]:
    """Retire the provider's models that are not in ``listed``; a retired model can't be the default.

    Returns:
        The newly retired models.
    """
    cursor = conn.execute(
        "UPDATE models SET retired_at = ?, is_default = 0 WHERE provider = ? AND retired_at IS NULL"
        " AND model NOT IN (SELECT value FROM json_each(?)) RETURNING model",
        (now, provider, dumps(sorted(listed))),
    )
    return [ModelRef(provider, name) for name in sorted(row[0] for row in cursor.fetchall())]


def get(conn: Connection, ref: ModelRef) -> Model | None:
    """Return a model, retired or not; None if it is unknown."""
    cursor = conn.execute("SELECT * FROM models WHERE provider = ? AND model = ?", (ref.provider, ref.model))
    return read_one(Model, cursor)


_BY_ALIAS = """
    SELECT * FROM models
    WHERE provider = :provider AND EXISTS (SELECT 1 FROM json_each(aliases) WHERE value = :model)
    ORDER BY retired_at IS NOT NULL, model LIMIT 1
"""


def find(conn: Connection, ref: ModelRef) -> Model | None:
    """Return the model with that id, or else the one with that alias; retired or not."""
    # Every turn looks up its model, mostly by id; the slower query on aliases runs only if there is no such id.
    return get(conn, ref) or read_one(Model, conn.execute(_BY_ALIAS, {"provider": ref.provider, "model": ref.model}))


def list_all(conn: Connection, provider: str | None = None, *, retired: bool = False) -> list[Model]:
    """Return the models of one provider or of all, by name; with ``retired``, retired models too."""
    cursor = conn.execute(
        "SELECT * FROM models WHERE (:provider IS NULL OR provider = :provider)"
        " AND (:retired = 1 OR retired_at IS NULL) ORDER BY provider, model",
        {"provider": provider, "retired": retired},
    )
    return read_all(Model, cursor)


def default(conn: Connection) -> Model | None:
    """Return the default model; None if none is set."""
    return read_one(Model, conn.execute("SELECT * FROM models WHERE is_default = 1"))


def set_default(conn: Connection, ref: ModelRef | None) -> bool:
    """Set or clear the default model; return False, and change nothing, if the model is unknown or retired."""
    if ref is not None:
        found = get(conn, ref)
        if found is None or found.retired_at is not None:
            return False
    conn.execute("UPDATE models SET is_default = 0 WHERE is_default = 1")
    if ref is not None:
        conn.execute("UPDATE models SET is_default = 1 WHERE provider = ? AND model = ?", (ref.provider, ref.model))
    return True
