import { LoyaltyError } from "@loyalty/client/server";
import { data } from "react-router";

/** What an action answers with when the service says no. Everything else is a fault, and is thrown on. */
export function refused(error: unknown) {
  if (!(error instanceof LoyaltyError)) throw error;
  const { message, status, problem } = error;
  return data({ message, policies: problem?.legalPolicies }, status || 503);
}
