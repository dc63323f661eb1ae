// One key for each intent, kept until there is a final answer: a reload or a second click goes on with the same intent.

export interface Intents {
  keyOf(rewardId: string): string;
  end(rewardId: string): void;
}

const nameOf = (rewardId: string): string => `loyalty:redeem:${rewardId}`;

/** Does something with the store of this tab: not on a server, where it would be one for everybody, and not where the
 * browser forbids it. */
function kept<T>(act: (store: Storage) => T): T | undefined {
  try {
    return typeof document === "undefined" ? undefined : act(sessionStorage);
  } catch {
    return undefined;
  }
}

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => (byte + 256).toString(16).slice(1)).join("");
}

export function createIntents(): Intents {
  // Where nothing can be kept, it lasts as long as the page.
  const memory = new Map<string, string>();
  return {
    keyOf(rewardId) {
      const name = nameOf(rewardId);
      const key = memory.get(name) ?? kept((store) => store.getItem(name)) ?? newKey();
      memory.set(name, key);
      kept((store) => store.setItem(name, key));
      return key;
    },
    end(rewardId) {
      const name = nameOf(rewardId);
      memory.delete(name);
      kept((store) => store.removeItem(name));
    },
  };
}
