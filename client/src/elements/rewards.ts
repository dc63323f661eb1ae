// `<loyalty-rewards>`: what points can buy. Spending them takes two clicks, and happens once.
import type { Redemption, Reward } from "@loyalty/client";
import { h, present, type Child } from "./dom";
import { WithCoupons } from "./coupons";

interface Known {
  rewards: Reward[];
  isStranger: boolean;
}

export class LoyaltyRewards extends WithCoupons<Known> {
  protected override async load(signal: AbortSignal): Promise<Known> {
    const { state } = await this.loyalty.session({ signal });
    if (state === "anonymous") return { rewards: (await this.loyalty.program({ signal })).rewards, isStranger: true };
    return { ...(await this.loyalty.rewards({ cartId: this.cart, signal })), isStranger: false };
  }

  protected override view({ rewards, isStranger }: Known): Child[] {
    const lines = rewards.map((reward) => {
      const line = h("li", { part: "reward" });
      this.fill(line, reward);
      return line;
    });
    return [h("ul", { part: "list", role: "list" }, ...lines), isStranger && this.signInLink()];
  }

  private fill(line: Element, reward: Reward): void {
    const { id, name, points, canRedeem, fitsCart } = reward;
    const label = this.speech.say("redeem");
    line.replaceChildren(...present([
      h("span", { part: "name" }, name),
      points !== undefined && h("span", { part: "price" }, this.speech.points(points)),
      canRedeem?.state === "ready" && points !== undefined
        ? this.button(label, () => this.ask(line, reward), { "data-key": `redeem ${id}`, "aria-label": `${label}: ${name}` })
        : h("span", { part: "reason" }, this.reason(reward)),
      fitsCart?.missing && h("span", { part: "cart" }, this.speech.say("minimum", { money: this.speech.money(fitsCart.missing) })),
    ]));
  }

  private reason({ canRedeem }: Reward): string {
    const { state, missingPoints, requiredTier } = canRedeem ?? {};
    if (missingPoints) return this.speech.say("missing", { points: this.speech.points(missingPoints) });
    if (requiredTier) return this.speech.say("tier", { tier: requiredTier });
    if (state === "not_enrolled") return this.speech.say("joinFirst");
    return state ? this.speech.say("unavailable") : "";
  }

  /** The question stands in the line, where the button was. */
  private ask(line: Element, reward: Reward): void {
    const { id, name, points } = reward;
    const question = this.speech.say("confirm", { points: this.speech.points(points ?? 0) });
    const yes = this.button(this.speech.say("yes"), () => this.redeem(reward), { "data-key": `yes ${id}` });
    const cancel = this.button(this.speech.say("cancel"), () => {
      this.fill(line, reward);
      line.querySelector("button")?.focus();
    });
    const group = h("span", { part: "question", role: "group", "aria-label": `${name}: ${question}` }, question, " ", yes, " ", cancel);
    line.replaceChildren(h("span", { part: "name" }, name), group);
    yes.focus();
  }

  private async redeem({ id }: Reward): Promise<void> {
    const checking = setTimeout(() => this.say(this.speech.say("checking")), 3000);
    try {
      const redemption = await this.loyalty.redeem(id, { cartId: this.cart });
      this.say("");
      this.tell(...this.told(redemption));
      if (redemption.state === "succeeded") this.announce("redeemed", { rewardId: id, points: redemption.points });
      else await this.read();
    } finally {
      clearTimeout(checking);
    }
  }

  private told({ state, coupon, cart, supportReference }: Redemption): Child[] {
    if (state === "failed") return [this.speech.say("notTaken")];
    if (state !== "succeeded") return [this.speech.say("unknown", { reference: supportReference ?? "" })];
    if (!coupon) return [this.speech.say("credit")];
    return [`${this.speech.say("code")}: `, ...this.coupon(coupon, cart)];
  }
}
