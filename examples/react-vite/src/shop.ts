/** Asks the shop's own server. */
export async function shop<T>(act: "sign-in" | "sign-out" | "ticket" | "buyer", body: object = {}): Promise<T> {
  const headers = { "Content-Type": "application/json" };
  const reply = await fetch(`/shop/${act}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!reply.ok) throw new Error("The shop does not answer. Try again later.");
  return (await reply.json()) as T;
}
