"""Text that can be stored and sent."""

__all__ = ["mend_surrogates"]


def mend_surrogates(text: str) -> str:
    """A text that can be encoded: halves of surrogate pairs are put together, and a lone half becomes U+FFFD.

    They come from services that cut an answer between the two halves and escape each in a JSON document of its own.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
