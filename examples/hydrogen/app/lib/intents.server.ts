// One key for each redemption until there is a final answer, so that a reload or a lost answer spends nothing twice.
import type { AppSession } from "./session.server";

export interface Intents {
  /** The key that stands in the reward's form. */
  keyOf(rewardId: string): string;
  end(rewardId: string): void;
}

export function intentsOf(session: AppSession): Intents {
  const all = (): Record<string, string> => session.get("intents") ?? {};
  return {
    keyOf(rewardId) {
      const key = all()[rewardId] ?? crypto.randomUUID();
      if (!all()[rewardId]) session.set("intents", { ...all(), [rewardId]: key });
      return key;
    },
    end(rewardId) {
      const { [rewardId]: _ended, ...others } = all();
      session.set("intents", others);
    },
  };
}
