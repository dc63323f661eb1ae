// What a member has: points, and the tier.
import type { MemberAndParts } from "@loyalty/client";
import { h, type Child } from "./dom";
import { LoyaltyElement } from "./element";

/** `<loyalty-points>`: the balance. */
export class LoyaltyPoints extends LoyaltyElement<MemberAndParts> {
  protected override load(signal: AbortSignal): Promise<MemberAndParts> {
    return this.loyalty.me([], { signal });
  }

  protected override view({ points }: MemberAndParts): Child[] {
    return [h("span", { part: "points" }, this.speech.points(points.balance))];
  }
}

/** `<loyalty-tier>`: the tier, and the way to the next one, as a bar and as a sentence. */
export class LoyaltyTier extends LoyaltyElement<MemberAndParts> {
  protected override load(signal: AbortSignal): Promise<MemberAndParts> {
    return this.loyalty.me(["tierProgress"], { signal });
  }

  protected override view({ tier, tierProgress }: MemberAndParts): Child[] {
    if (tierProgress?.error) throw tierProgress.error;
    const { nextTier, spend } = tierProgress?.data ?? {};
    const shown: Child[] = [tier && h("span", { part: "tier" }, tier)];
    if (!nextTier?.missingSpend) return shown;
    const sentence = this.speech.say("toTier", { money: this.speech.money(nextTier.missingSpend), tier: nextTier.name });
    const [done, missing] = [Number(spend?.amount ?? 0), Number(nextTier.missingSpend.amount)];
    const bar = h("progress", { part: "progress", max: `${done + missing}`, value: `${done}`, "aria-label": sentence });
    return [...shown, bar, h("span", { part: "sentence" }, sentence)];
  }
}
