// What the page asks of the service itself, across origins: its client signs in with a ticket when it is first needed.
import { useRefer } from "@loyalty/client/react";
import { useState } from "react";

export function Invite() {
  const { run, busy, error } = useRefer();
  const [invited, setInvited] = useState("");

  async function invite(form: FormData): Promise<void> {
    const email = String(form.get("email"));
    setInvited("");
    await run(email);
    setInvited(email);
  }

  return (
    <form action={invite}>
      <label>
        A friend&rsquo;s e-mail address <input name="email" type="email" required />
      </label>
      <button disabled={busy}>Invite</button>
      <p role="status">{error?.message ?? (invited && `${invited} is invited.`)}</p>
    </form>
  );
}
