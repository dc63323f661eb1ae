import { useMember, useRefer } from "@loyalty/client/react";
import type { FormEvent } from "react";
import { Page } from "../Page.tsx";

export function Refer() {
  const { data: member } = useMember();
  const refer = useRefer();
  function invite(event: FormEvent<HTMLFormElement>): void {
    event.preventDefault();
    void refer.run(String(new FormData(event.currentTarget).get("email")));
  }
  return (
    <Page title="Refer a friend">
      {member?.referralUrl && (
        <p>
          Your link: <a href={member.referralUrl}>{member.referralUrl}</a>
        </p>
      )}
      <form onSubmit={invite}>
        <label>
          Your friend’s e-mail <input name="email" type="email" required autoComplete="off" />
        </label>{" "}
        <button type="submit" disabled={refer.busy}>
          Invite
        </button>
      </form>
      <p role="status">
        {refer.done && "They were invited."}
        {refer.error?.message}
      </p>
    </Page>
  );
}
