"""Failed connections in words: to whom, why, and what to do; the same for aiohttp, httpx, TLS and sockets."""
