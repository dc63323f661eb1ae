import type { LegalPolicies, Problem } from "./types";

/** The API's closed list, and `unreachable`: no answer came, or none of this service. */
export type Code = Problem["code"] | "unreachable";

/** Why a call came to nothing. */
export class LoyaltyError extends Error {
  override readonly name = "LoyaltyError";

  constructor(
    /** What to decide by. */
    readonly code: Code,
    /** The HTTP status; 0 when no answer came. With 409 and 422 the `message` may be shown to the shopper. */
    readonly status: number,
    /** Whether the same call may succeed later. */
    readonly retryable: boolean,
    /** How many seconds to wait before that, where the service says. */
    readonly retryAfter?: number,
    /** The service's answer in full (RFC 9457). With `policies_outdated` it has the words as they are now. */
    readonly problem?: Problem & { legalPolicies?: LegalPolicies },
  ) {
    super(problem?.detail ?? "The loyalty service cannot be reached.");
  }

  /** Whether it is the last word on what was asked, so that the key of a redemption is done with. Other answers are about
   * who asked, or how, or say that nobody knows: the same key goes on with the same intent. */
  get isFinal(): boolean {
    return this.retryable === false && ![400, 401, 403].includes(this.status);
  }
}

function retryAfterOf(reply: Response | undefined): number | undefined {
  const seconds = parseFloat(reply?.headers.get("retry-after") ?? "");
  return seconds >= 0 ? seconds : undefined;
}

/** @internal No answer, or what somebody on the way says instead of the service. */
export const unreachable = (reply?: Response): LoyaltyError =>
  new LoyaltyError("unreachable", reply?.status ?? 0, true, retryAfterOf(reply));

/** @internal */
export function errorOf(reply: Response, problem: Problem | null | undefined): LoyaltyError {
  if (!problem?.code) return unreachable(reply);
  return new LoyaltyError(problem.code, reply.status, problem.retryable, retryAfterOf(reply), problem);
}
