"""The operations of openapi.json as FastMCP makes tools of them: over stdio, or with `http` over HTTP on a port that it prints.

UPSTREAM is where they go.
"""

import importlib
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

SPEC = json.loads(Path(__file__).with_name("openapi.json").read_text())

fastmcp: Any = importlib.import_module("fastmcp")  # is installed here only
server = fastmcp.FastMCP.from_openapi(SPEC, client=httpx2.AsyncClient(base_url=os.environ["UPSTREAM"]), name="peer")
if sys.argv[1:] == ["http"]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    app = server.http_app(stateless_http=True, json_response=True)
    uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])
else:
    server.run(show_banner=False)
