// Everything that is different elsewhere. Without settings: what `make run` of the loyalty service starts on this machine.
import "server-only";

const { env } = process;

export const settings = {
  origin: `http://localhost:${env.PORT ?? "3000"}`,
  loyaltyUrl: env.LOYALTY_URL ?? "http://localhost:8000",
  ticketsToken: env.SESSION_TICKETS_TOKEN ?? "development-only-session-tickets-token-0123456789",
  storefrontUrl: env.SHOPIFY_STOREFRONT_URL ?? "http://localhost:8001/api/2026-07/graphql.json",
  storefrontToken: env.SHOPIFY_STOREFRONT_TOKEN ?? "5f0c9a7be1d24c3890ab6d7e8f123456",
  sandboxUrl: env.SANDBOX_URL ?? "http://localhost:8001",
};
