// Everything that is different elsewhere. Without settings: what `make run` of the loyalty service starts on this machine.
const {
  PORT = "3000",
  LOYALTY_URL = "http://localhost:8000",
  SESSION_TICKETS_TOKEN = "development-only-session-tickets-token-0123456789",
  SHOPIFY_STOREFRONT_URL = "http://localhost:8001/api/2026-07/graphql.json",
  SHOPIFY_STOREFRONT_TOKEN = "5f0c9a7be1d24c3890ab6d7e8f123456",
  SANDBOX_URL = "http://localhost:8001",
} = process.env;

export const settings = {
  port: Number(PORT),
  origin: `http://localhost:${PORT}`,
  loyaltyUrl: LOYALTY_URL,
  ticketsToken: SESSION_TICKETS_TOKEN,
  storefrontUrl: SHOPIFY_STOREFRONT_URL,
  storefrontToken: SHOPIFY_STOREFRONT_TOKEN,
  sandboxUrl: SANDBOX_URL,
};
