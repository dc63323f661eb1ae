// What every element does: it reads, shows, says what goes wrong with a way on, and reads again when something has changed.
import { createLoyalty, type EventName, type Loyalty, type LoyaltyError } from "@loyalty/client";
import { h, present, type Child } from "./dom";
import STYLE from "./element.css";
import { Speech, type Words } from "./words";

const connected = new Set<LoyaltyElement<unknown>>();
let client: Loyalty | undefined;
let ownWords: Partial<Words> = {};
let sheet: CSSStyleSheet | undefined;

/** With which client the elements ask, and words in place of theirs. Without it: the service that they were loaded from. */
export function use(given: Loyalty, words: Partial<Words> = {}): void {
  client = given;
  ownWords = words;
  for (const element of connected) element.restart();
}

function current(): Loyalty {
  return client ??= createLoyalty({
    baseUrl: new URL("..", import.meta.url).href,
    locale: document.documentElement.lang || undefined,
  });
}

function adoptStyle(): void {
  if (sheet) return;
  sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}

export abstract class LoyaltyElement<T> extends HTMLElement {
  /** At which events it reads again. */
  protected events: EventName[] = ["signed_in", "signed_out", "joined", "redeemed", "coupon_applied", "earned"];
  protected loyalty!: Loyalty;
  protected speech!: Speech;
  private ends: (() => void)[] = [];
  private reading: AbortController | undefined;
  private readonly content = h("div", { part: "content" });
  private readonly outcome = h("div", { part: "outcome", tabindex: "-1" });
  private readonly status = h("p", { part: "status", role: "status" });
  private failure: Element | undefined;

  protected abstract load(signal: AbortSignal): Promise<T>;
  protected abstract view(known: T): Child[];

  connectedCallback(): void {
    connected.add(this as LoyaltyElement<unknown>);
    adoptStyle();
    this.restart();
  }

  disconnectedCallback(): void {
    connected.delete(this as LoyaltyElement<unknown>);
    this.stop();
  }

  restart(): void {
    this.stop();
    this.loyalty = current();
    this.speech = new Speech(this.closest<HTMLElement>("[lang]")?.lang || navigator.language, ownWords);
    const again = (): void => void this.read();
    const back = (event: PageTransitionEvent): void => { if (event.persisted) again(); };
    addEventListener("pageshow", back);
    this.ends = [
      ...this.events.map((event) => this.loyalty.on(event, again)),
      // A code is nobody else's business.
      this.loyalty.on("signed_out", () => this.outcome.replaceChildren()),
      () => removeEventListener("pageshow", back),
    ];
    again();
  }

  /** What is inside stays until there is something to show. */
  protected async read(): Promise<void> {
    this.reading?.abort();
    const { signal } = (this.reading = new AbortController());
    this.ariaBusy = "true";
    try {
      this.show(this.view(await this.load(signal)));
    } catch (error) {
      if (signal.aborted) return;
      if (this.isStranger(error)) this.show(this.stranger());
      else this.showFailure(error);
    }
    this.ariaBusy = "false";
  }

  /** For who has not signed in. */
  protected stranger(): Child[] {
    return [this.signInLink()];
  }

  protected signInLink(): Child {
    return h("a", { part: "sign-in", href: this.loyalty.signInUrl() }, this.speech.say("signIn"));
  }

  protected show(children: Child[]): void {
    const focused = this.contains(document.activeElement) && document.activeElement?.getAttribute("data-key");
    this.failure = undefined;
    this.content.replaceChildren(...present(children));
    if (this.content.parentNode !== this || this.childElementCount > 3) this.replaceChildren(this.content, this.outcome, this.status);
    if (focused) this.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  /** What came of something, which stays while the rest is read anew; the focus goes there. */
  protected tell(...children: Child[]): void {
    this.outcome.replaceChildren(...present(children));
    this.outcome.focus();
  }

  protected say(text: string): void {
    this.status.textContent = text;
  }

  /** A button that does one thing at a time, and says what went wrong. */
  protected button(text: string, work: () => unknown, more: Record<string, string> = {}): HTMLButtonElement {
    return h("button", { type: "button", part: "button", ...more, click: (event) => void this.doing(event.currentTarget as Element, work) }, text);
  }

  protected async doing(button: Element, work: () => unknown): Promise<void> {
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = "true";
    this.say("");
    try {
      await work();
    } catch (error) {
      this.say(this.explained(error));
      if (this.isStranger(error)) this.status.append(" ", this.signInLink() as Node);
    } finally {
      button.ariaDisabled = "false";
    }
  }

  protected copyButton(text: string, key: string): Child {
    const copy = (): Promise<void> => navigator.clipboard.writeText(text).then(() => this.say(this.speech.say("copied")));
    return !!navigator.clipboard && this.button(this.speech.say("copy"), copy, { "data-key": key, "aria-label": `${this.speech.say("copy")}: ${text}` });
  }

  /** Tells the page; the names are those of the client's events. */
  protected announce(event: EventName | "error", detail: object): void {
    this.dispatchEvent(new CustomEvent(`loyalty:${event}`, { bubbles: true, composed: true, detail }));
  }

  private isStranger(error: unknown): boolean {
    return (error as LoyaltyError).status === 401;
  }

  private explained(error: unknown): string {
    const { code, status, message } = error as LoyaltyError;
    this.announce("error", { code });
    if (code === "not_enrolled") return this.speech.say("joinFirst");
    return status === 409 || status === 422 ? message : this.speech.say("failed");
  }

  private showFailure(error: unknown): void {
    this.failure?.remove();
    const again = this.button(this.speech.say("retry"), () => this.read(), { "data-key": "retry" });
    this.failure = h("p", { part: "error", role: "alert" }, this.explained(error), " ", again);
    this.append(this.failure);
  }

  private stop(): void {
    this.reading?.abort();
    for (const end of this.ends.splice(0)) end();
  }
}
