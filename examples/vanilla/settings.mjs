// What a shop is told by its environment; the defaults are what `make run` has.
const env = (name, otherwise) => process.env[name] || otherwise;

export const PORT = Number(env("PORT", "3000"));
export const LOYALTY_URL = env("LOYALTY_URL", "http://localhost:8000").replace(/\/+$/, "");
export const STOREFRONT_URL = env("SHOPIFY_STOREFRONT_URL", "http://localhost:8001/api/2026-07/graphql.json");
// Shopify's public token: pages may have it.
export const STOREFRONT_TOKEN = env("SHOPIFY_STOREFRONT_TOKEN", "5f0c9a7be1d24c3890ab6d7e8f123456");
// A secret between this server and the loyalty service. No page gets it.
export const TICKETS_TOKEN = env("SESSION_TICKETS_TOKEN", "development-only-session-tickets-token-0123456789");
export const SANDBOX_URL = env("SANDBOX_URL", "http://localhost:8001");
// Where this server reaches the loyalty service, if that is not where browsers do.
export const LOYALTY_FROM_HERE = env("LOYALTY_INTERNAL_URL", LOYALTY_URL).replace(/\/+$/, "");
