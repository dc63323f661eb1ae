// What the documented servers have around them.
import { createLoyalty, createTicket } from "@loyalty/client/server";

interface Store { get(name: string): string | undefined; set(name: string, value: string | null): void }
declare const process: { env: { SESSION_TICKETS_TOKEN: string } };
declare const customer: { accessToken: string };
declare const session: Store;
declare const request: Request;
declare const answer: Response;

