// The tools over streamable HTTP without sessions, as the SDK's own example does it: a server for each request. Prints
// its port.
import { createServer } from "node:http";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { makeServer } from "./tools.mjs";

const listener = createServer(async (request, response) => {
  const server = makeServer();
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
  response.on("close", () => {
    transport.close();
    server.close();
  });
  await server.connect(transport);
  await transport.handleRequest(request, response);
});
listener.keepAliveTimeout = 75_000;
listener.listen(0, "127.0.0.1", 4096, () => console.log(listener.address().port));
