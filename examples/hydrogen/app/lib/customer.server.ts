// Stands in for Hydrogen's `context.customerAccount`, which signs customers in at Shopify: here the sandbox knows some.
import { SANDBOX_URL } from "./env.server";
import type { AppSession } from "./session.server";

export const PERSONAS = ["ella", "penny", "zoe"];

export interface Customer {
  isLoggedIn(): Promise<boolean>;
  login(persona: string): Promise<void>;
  logout(): Promise<void>;
  /** A token that is good now; Hydrogen's refreshes it. */
  getAccessToken(): Promise<string | undefined>;
  /** Whose cart it is. */
  getBuyer(): Promise<{ customerAccessToken?: string }>;
}

export function customerOf(session: AppSession): Customer {
  async function getAccessToken(): Promise<string | undefined> {
    const persona = session.get("persona");
    if (!persona) return undefined;
    const reply = await fetch(`${SANDBOX_URL}/_control/token`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ persona }),
    });
    const { token } = (await reply.json()) as { token: string };
    return token;
  }

  return {
    isLoggedIn: async () => session.get("persona") !== undefined,
    async login(persona) {
      await session.renew();
      session.set("persona", persona);
    },
    logout: () => session.renew(),
    getAccessToken,
    getBuyer: async () => ({ customerAccessToken: await getAccessToken() }),
  };
}
