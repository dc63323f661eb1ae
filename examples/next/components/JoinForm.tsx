"use client";

import type { LegalPolicies } from "@loyalty/client";
import { useActionState } from "react";
import { join } from "@/app/actions";

export function JoinForm(props: { policies: LegalPolicies }) {
  const [{ policies, told }, act, isBusy] = useActionState(join, { policies: props.policies });
  const { version, digest, buttonText, sentenceHtml } = policies;
  return (
    <form action={act}>
      <input type="hidden" name="agreed" value={JSON.stringify({ version, digest })} />
      <button type="submit" disabled={isBusy}>
        {buttonText}
      </button>{" "}
      {/* The service has sanitised it. Nothing may stand between it and the button. */}
      <span dangerouslySetInnerHTML={{ __html: sentenceHtml }} />
      <p role="status">{told}</p>
    </form>
  );
}
