// The bridge over streamable HTTP on a free port. Prints it, which the bridge does not, and keeps idle connections as
// long as http.mjs.
import { subscribe } from "node:diagnostics_channel";

subscribe("tracing:net.server.listen:asyncEnd", ({ server }) => {
  server.keepAliveTimeout = 75_000;
  console.log(server.address().port);
});
Object.assign(process.env, { TRANSPORT_TYPE: "http", HTTP_PORT: "0" });
await import("@ivotoby/openapi-mcp-server/bin/mcp-server.js");
