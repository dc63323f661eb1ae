// `<loyalty-coupons>`: the codes that can be used, each to be copied or put into the cart.
import type { CartResult, Coupon, Wallet } from "@loyalty/client";
import { h, type Child } from "./dom";
import { LoyaltyElement } from "./element";

/** Whatever shows a code. With an attribute `cart` it goes into that cart, or, where that is empty, into the client's. */
export abstract class WithCoupons<T> extends LoyaltyElement<T> {
  protected get cart(): string | undefined {
    return this.getAttribute("cart") || undefined;
  }

  /** `cart` is what came of it where it was tried already. */
  protected coupon(coupon: Coupon, cart?: CartResult): Child[] {
    const { code, description, expiresAt, applyUrl } = coupon;
    const result = h("span", { part: "cart" }, cart && this.cartWords(cart));
    const link = h("a", { part: "use", href: applyUrl }, this.speech.say("use"));
    const add = this.button(this.speech.say("addToCart"), () => this.add(code, result, add, link), {
      "data-key": `add ${code}`, "aria-label": `${this.speech.say("addToCart")}: ${code}`,
    });
    return [
      h("code", { part: "code" }, code),
      description && h("span", { part: "name" }, description),
      expiresAt && h("span", { part: "until" }, this.speech.say("until", { date: this.speech.date(expiresAt) })),
      this.copyButton(code, `copy ${code}`),
      !cart && this.hasAttribute("cart") ? add : cart?.result !== "applied" && link,
      result,
    ];
  }

  private async add(code: string, result: Element, button: Element, link: Element): Promise<void> {
    try {
      const done = await this.loyalty.applyCoupon(code, this.cart);
      result.textContent = this.cartWords(done);
      this.say(result.textContent);
      if (done.result !== "not_applied") this.announce("coupon_applied", { result: done.result });
    } catch (error) {
      // The link works where this does not.
      button.after(link);
      throw error;
    }
  }

  private cartWords({ result, missing }: CartResult): string {
    if (result !== "not_applied") return this.speech.say("inCart");
    if (missing) return this.speech.say("minimum", { money: this.speech.money(missing) });
    return this.speech.say("notInCart");
  }
}

export class LoyaltyCoupons extends WithCoupons<Wallet> {
  protected override load(signal: AbortSignal): Promise<Wallet> {
    return this.loyalty.coupons({ signal });
  }

  protected override view({ coupons }: Wallet): Child[] {
    const usable = coupons.filter(({ used }) => !used);
    if (!usable.length) return [this.speech.say("none")];
    return [h("ul", { part: "list", role: "list" }, ...usable.map((coupon) => h("li", { part: "coupon" }, ...this.coupon(coupon))))];
  }
}
