import type { EventName, Events, Token } from "./types";

type Maybe<T> = T | null | undefined;
type Soon<T> = T | Promise<T>;

export interface Options {
  /** The service's address, with `BASE_PATH`. */
  baseUrl: string;
  /** Brings a new ticket or token when the session has ended; nothing when the customer is signed out at your shop. */
  getToken?(): Soon<Maybe<Token>>;
  /** The language of words, as BCP 47 has it. Without it, what the browser prefers. */
  locale?: string;
  /** As ISO 3166 has it, such as `DE`. */
  country?: string;
  /** As ISO 4217 has it, such as `EUR`. */
  currency?: string;
  /** The id of the shopper's cart, into which a redeemed code goes. */
  cart?: Maybe<string> | (() => Soon<Maybe<string>>);
  /** Told of each event, for your analytics. */
  analytics?<E extends EventName>(event: E, detail: Events[E]): void;
  /** In place of the global one. */
  fetch?: typeof fetch;
}
