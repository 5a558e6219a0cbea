"""Tools of MCP servers; ``tgllm_mcp.plugin`` has the hooks, ``tgllm_mcp.settings`` the settings."""

__version__ = "1.0.0"

__all__ = ["__version__"]
