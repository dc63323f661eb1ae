import { currentCustomer } from "@/lib/customer";
import { ticketFor } from "@/lib/loyalty";
import { settings } from "@/lib/settings";

/** For our own page, when its session has ended; null when nobody is signed in. */
export async function POST(request: Request): Promise<Response> {
  if (request.headers.get("Origin") !== settings.origin) return new Response(null, { status: 403 });
  const customer = await currentCustomer();
  const token = customer ? { ticket: await ticketFor(customer, settings.origin) } : null;
  return Response.json(token, { headers: { "Cache-Control": "no-store" } });
}
