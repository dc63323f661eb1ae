import { createLoyalty, type LoyaltyError } from "@loyalty/client";
import { createLoyalty as onServer } from "@loyalty/client/server";

export const nowhere = createLoyalty({}); // wrong
const loyalty = createLoyalty({ baseUrl: "" });
export const part = loyalty.me(["reward"]); // wrong
export const words = loyalty.join({ version: "1" }); // wrong
export const day = loyalty.setBirthday({ day: "29", month: 2 }); // wrong
export const event = loyalty.on("redeem", () => {}); // wrong
export const secret = loyalty.on("redeemed", ({ code }) => code); // wrong
export const tier = loyalty.me().then((me): string => me.tier); // wrong
export const price = loyalty.program().then(({ rewards }) => rewards[0].points + 1); // wrong
export const code = (error: LoyaltyError): boolean => error.code === "unreachible"; // wrong
export const nobody = onServer({ baseUrl: "https://loyalty.example.com" }); // wrong
export const both = onServer({ baseUrl: "", server: { token: "" }, cookies: { get: () => "", set: () => {} } }); // wrong
export const token = loyalty.signIn({ token: "shcat_" }); // wrong
