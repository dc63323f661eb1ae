// `<loyalty-join>`: the vendor's words, on the button and right beside it. Nobody joins but by a click on the words shown.
import type { LegalPolicies, LoyaltyError, SessionState } from "@loyalty/client";
import { h, sanitised, type Child } from "./dom";
import { LoyaltyElement } from "./element";

interface Known {
  state: SessionState["state"];
  policies?: LegalPolicies;
}

export class LoyaltyJoin extends LoyaltyElement<Known> {
  protected override async load(signal: AbortSignal): Promise<Known> {
    const { state } = await this.loyalty.session({ signal });
    return state === "pending" ? { state, policies: await this.loyalty.policies({ signal }) } : { state };
  }

  protected override view({ state, policies }: Known): Child[] {
    if (state === "anonymous") return this.stranger();
    if (!policies) return [];
    let sentence: Child[];
    try {
      sentence = sanitised(policies.sentenceHtml);
    } catch {
      // A policy of the page forbids to read the sentence, so that the button may not stand here either.
      return [h("a", { part: "sign-in", href: this.loyalty.signInUrl("/join") }, this.speech.say("joinThere"))];
    }
    const join = this.button(policies.buttonText, () => this.join(policies), { "data-key": "join" });
    return [join, h("span", { part: "sentence" }, ...sentence)];
  }

  private async join(policies: LegalPolicies): Promise<void> {
    try {
      const { state } = await this.loyalty.join(policies);
      this.tell(this.speech.say("member"));
      this.announce("joined", { state });
    } catch (error) {
      const { code, problem } = error as LoyaltyError;
      if (code !== "policies_outdated") throw error;
      this.show(this.view({ state: "pending", policies: problem?.legalPolicies }));
      this.say(this.speech.say("changed"));
    }
  }
}
