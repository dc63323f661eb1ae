import { signIn } from "../actions";

export const metadata = { title: "Sign in" };
const CUSTOMERS = ["ella", "penny", "zoe", "tara"];

/** Stands in for your shop's sign-in. */
export default function SignIn() {
  return (
    <>
      <h1>Sign in</h1>
      <form action={signIn}>
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
    </>
  );
}
