import { useState } from "react";
import { useNavigate } from "react-router";
import { signIn } from "../loyalty.ts";
import { Page } from "../Page.tsx";

const CUSTOMERS = ["ella", "penny", "zoe", "tara"];

/** Stands in for your shop's sign-in. */
export function SignIn() {
  const go = useNavigate();
  const [said, setSaid] = useState("");
  async function enter(form: FormData): Promise<void> {
    try {
      await signIn(String(form.get("persona")));
      await go("/rewards");
    } catch (error) {
      setSaid((error as Error).message);
    }
  }
  return (
    <Page title="Sign in">
      <form action={enter}>
        <label>
          Customer{" "}
          <select name="persona">
            {CUSTOMERS.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>{" "}
        <button type="submit">Sign in</button>
      </form>
      <p role="status">{said}</p>
    </Page>
  );
}
