"""MCP over Streamable HTTP: who may come in, what they may do, and how the server is started and stopped."""
