// `<loyalty-refer>`: the member's own link, and an invitation by e-mail.
import type { EventName, LoyaltyError, Referrals } from "@loyalty/client";
import { h, type Child } from "./dom";
import { LoyaltyElement } from "./element";

let forms = 0;

export class LoyaltyRefer extends LoyaltyElement<Referrals> {
  // What somebody has begun to write stays.
  protected override events: EventName[] = ["signed_in", "signed_out", "joined"];
  private readonly number = (forms += 1);

  protected override load(signal: AbortSignal): Promise<Referrals> {
    return this.loyalty.referrals({ signal });
  }

  protected override view({ url }: Referrals): Child[] {
    const link = url && h("p", { part: "link" }, `${this.speech.say("link")}: `, h("a", { href: url }, url), " ", this.copyButton(url, "copy"));
    return [link, this.form()];
  }

  private form(): Element {
    const [id, fault] = [`loyalty-refer-${this.number}`, `loyalty-refer-fault-${this.number}`];
    const field = h("input", { id, part: "field", type: "email", name: "email", autocomplete: "off", required: "", "aria-describedby": fault });
    const problem = h("span", { id: fault, part: "error" });
    const button = h("button", { part: "button", "data-key": "invite" }, this.speech.say("invite"));
    const submit = (event: Event): void => {
      event.preventDefault();
      void this.doing(button, () => this.invite(field, problem));
    };
    return h("form", { part: "form", submit }, h("label", { for: id }, this.speech.say("email")), " ", field, " ", button, " ", problem);
  }

  private async invite(field: HTMLInputElement, problem: Element): Promise<void> {
    problem.textContent = "";
    field.removeAttribute("aria-invalid");
    try {
      await this.loyalty.refer(field.value);
    } catch (error) {
      if ((error as LoyaltyError).code !== "invalid_email") throw error;
      problem.textContent = (error as LoyaltyError).message;
      field.setAttribute("aria-invalid", "true");
      field.focus();
      return;
    }
    field.value = "";
    this.say(this.speech.say("invited"));
    this.announce("referred", {});
  }
}
