"use client";

import { useRefer } from "@loyalty/client/react";
import type { FormEvent } from "react";

/** The page asks the loyalty service itself: nothing here needs our server. */
export function ReferForm() {
  const refer = useRefer();
  function invite(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    void refer.run(String(new FormData(event.currentTarget).get("email")));
  }
  return (
    <form onSubmit={invite}>
      <label>
        Your friend’s e-mail <input name="email" type="email" required autoComplete="off" />
      </label>{" "}
      <button type="submit" disabled={refer.busy}>
        Invite
      </button>
      <p role="status">
        {refer.done && "They were invited."}
        {refer.error?.message}
      </p>
    </form>
  );
}
