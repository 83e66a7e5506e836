// Five look-ups and an order as one writes them by hand with the TypeScript SDK: a schema, a fetch, the JSON as text
// and structured.
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";

const env = process.env;
const basic = (user, password) => "Basic " + Buffer.from(`${user}:${password}`).toString("base64");

const providers = {
  dipli: { url: env.DIPLI_URL, headers: { apikey: env.DIPLI_API_KEY } },
  rewix: { url: env.REWIX_URL, headers: { Authorization: basic(env.REWIX_API_KEY, env.REWIX_PASSWORD) } },
  dropday: { url: env.DROPDAY_URL, headers: { "Api-Key": env.DROPDAY_API_KEY } },
  duoplane: { url: env.DUOPLANE_URL, headers: { Authorization: basic(env.DUOPLANE_API_KEY, env.DUOPLANE_PASSWORD) } },
};

async function ask(name, path, options = {}) {
  const { url, headers } = providers[name];
  const response = await fetch(url + path, {
    ...options,
    headers: { Accept: "application/json", ...options.headers, ...headers },
  });
  if (!response.ok) {
    return { isError: true, content: [{ type: "text", text: `${name} answered with HTTP ${response.status}` }] };
  }
  const answer = { provider: name, ...(await response.json()) };
  return { content: [{ type: "text", text: JSON.stringify(answer) }], structuredContent: answer };
}

const order = z.object({
  alternative_id: z.string(),
  product_id: z.number().int(),
  buyer: z.string(),
  street: z.string(),
  additional_street: z.string().optional(),
  postcode: z.string(),
  city: z.string(),
  country: z.string().length(2),
  buyer_phone: z.string(),
  buyer_email: z.string(),
  extra: z.string().optional(),
});

export function makeServer() {
  const server = new McpServer({ name: "peer", version: "1" });
  const tool = (name, inputSchema, path) =>
    server.registerTool(name, { description: name, inputSchema }, (args) => ask(name.split("_")[0], path(args)));

  tool("dipli_get_order", { public_id: z.string() }, (a) => `/api-drop/v2/orders/${encodeURIComponent(a.public_id)}`);
  tool(
    "dipli_list_orders",
    { createdAt: z.string(), page: z.number().int().default(1), pageSize: z.number().int().default(10) },
    (a) => `/api-drop/v2/orders?${new URLSearchParams(a)}`,
  );
  tool(
    "rewix_get_order",
    { rewix_order_id: z.string() },
    (a) => `/restful/ghost/clientorders/serverkey/${encodeURIComponent(a.rewix_order_id)}`,
  );
  tool("dropday_get_order", { reference: z.string() }, (a) => `/api/v1/orders/${encodeURIComponent(a.reference)}`);
  tool("duoplane_get_product", { product_id: z.string() }, (a) => `/api/products/${encodeURIComponent(a.product_id)}`);
  server.registerTool("dipli_create_order", { description: "dipli_create_order", inputSchema: order.shape }, (args) =>
    ask("dipli", "/api-drop/v2/orders", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(args),
    }),
  );
  return server;
}
