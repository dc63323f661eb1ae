// Where everything is: as `make run` has it, unless the environment says otherwise.
const { env } = process;

export const LOYALTY_URL = env.LOYALTY_URL ?? "http://localhost:8000";
export const SANDBOX_URL = env.SANDBOX_URL ?? "http://localhost:8001";
export const STOREFRONT_URL = env.SHOPIFY_STOREFRONT_URL ?? "http://localhost:8001/api/2026-07/graphql.json";
export const STOREFRONT_TOKEN = env.SHOPIFY_STOREFRONT_TOKEN ?? "5f0c9a7be1d24c3890ab6d7e8f123456";
export const TICKETS_TOKEN = env.SESSION_TICKETS_TOKEN ?? "development-only-session-tickets-token-0123456789";
