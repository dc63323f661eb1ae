export { createLoyalty, type Loyalty, type Waiting } from "./client";
export { LoyaltyError, type Code } from "./errors";
export type { Options } from "./options";
export type * from "./types";
