"""Contents of updates that may be the admin password, and so are only in memory until they are checked."""

__all__ = ["Vault"]


class Vault:
    """Payloads by update id. After a restart they are gone; see ``recovery``."""

    def __init__(self) -> None:
        self._payloads: dict[int, str] = {}

    def keep(self, update_id: int, payload: str) -> None:
        """Keep the payload of an update that is stored without its content."""
        self._payloads[update_id] = payload

    def get(self, update_id: int) -> str | None:
        """Return the payload; None if there is none."""
        return self._payloads.get(update_id)

    def drop(self, update_id: int) -> None:
        """Forget the payload of an update that has ended."""
        self._payloads.pop(update_id, None)
