"""The MCP server: what an agent, a host and an operator touch. Knows no provider by name."""

__version__ = "0.1.0"
