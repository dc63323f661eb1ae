"use server";

import type { LegalPolicies } from "@loyalty/client";
import { LoyaltyError } from "@loyalty/client/server";
import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import { addCode, addLine, cartId, nameBuyer } from "@/lib/cart";
import { beginSession, currentCustomer, customerToken, endSession, type Customer } from "@/lib/customer";
import { loyalty, ticketFor } from "@/lib/loyalty";
import { settings } from "@/lib/settings";
import { ofCart, ofRedemption } from "@/lib/words";

const WAITED_MS = 20_000;
const text = (form: FormData, name: string): string => String(form.get(name) ?? "");
/** What is on all pages has changed. */
const changed = (): void => revalidatePath("/", "layout");
const messageOf = (error: unknown): string =>
  error instanceof LoyaltyError ? error.message : "This did not work. Try again later.";

/** The address at which a ticket begins the browser's session at the loyalty service, and that leads back here. Where the
 * service is away the shop goes on alone; the page asks for a ticket when it needs one. */
async function continueAt(customer: Customer, page: string): Promise<string> {
  try {
    const query = { ticket: await ticketFor(customer), return_to: settings.origin + page };
    return `${settings.loyaltyUrl}/session/continue?${new URLSearchParams(query)}`;
  } catch (error) {
    console.error(error);
    return page;
  }
}

export async function signIn(form: FormData): Promise<void> {
  const customer = await beginSession(text(form, "persona"));
  await nameBuyer(await customerToken(customer));
  redirect(await continueAt(customer, "/rewards"));
}

/** Ends the session that this server acts with; the page has ended the browser's. */
export async function signOut(): Promise<void> {
  await (await loyalty()).signOut().catch(console.error);
  await endSession();
  changed();
  redirect("/");
}

export interface Joining {
  policies: LegalPolicies;
  told?: string;
}

export async function join({ policies }: Joining, form: FormData): Promise<Joining> {
  // What the shopper saw: the form says it.
  const agreed = JSON.parse(text(form, "agreed")) as Pick<LegalPolicies, "version" | "digest">;
  try {
    await (await loyalty()).join(agreed);
  } catch (error) {
    const latest = error instanceof LoyaltyError ? error.problem?.legalPolicies : undefined;
    return { policies: latest ?? policies, told: messageOf(error) };
  }
  changed();
  redirect("/rewards");
}

export async function redeem(_: string, form: FormData): Promise<string> {
  const [rewardId, key] = [text(form, "rewardId"), text(form, "key")];
  const customer = await currentCustomer();
  try {
    // An abort only ends the waiting.
    const how = { key, cartId: await cartId(), signal: AbortSignal.timeout(WAITED_MS) };
    const done = await (await loyalty()).redeem(rewardId, how);
    if (done.state === "succeeded" || done.state === "failed") customer?.intents.delete(rewardId);
    return ofRedemption(done);
  } catch (error) {
    if (error instanceof LoyaltyError && error.isFinal) customer?.intents.delete(rewardId);
    if ((error as Error).name === "TimeoutError") return "This is still being checked. Ask again in a while.";
    return messageOf(error);
  } finally {
    changed();
  }
}

export async function applyCoupon(_: string, form: FormData): Promise<string> {
  try {
    return ofCart(await (await loyalty()).applyCoupon(text(form, "code"), await cartId()));
  } catch (error) {
    return messageOf(error);
  } finally {
    changed();
  }
}

export async function addToCart(form: FormData): Promise<void> {
  const customer = await currentCustomer();
  await addLine(text(form, "merchandiseId"), customer && (await customerToken(customer)));
  changed();
}

export async function enterCode(form: FormData): Promise<void> {
  await addCode(text(form, "code"));
  changed();
}
