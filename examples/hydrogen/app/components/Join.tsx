import type { LegalPolicies } from "@loyalty/client";
import { Form } from "react-router";

/** The vendor's own words, on the button and right beside it. What was shown is sent with the click. */
export function Join({ policies, message }: { policies: LegalPolicies; message?: string }) {
  const { version, digest, buttonText, sentenceHtml } = policies;
  return (
    <Form method="post">
      <input type="hidden" name="policies" value={JSON.stringify({ version, digest })} />
      {message && <p role="alert">{message}</p>}
      <button name="intent" value="join">
        {buttonText}
      </button>{" "}
      {/* The service has sanitised it. */}
      <small dangerouslySetInnerHTML={{ __html: sentenceHtml }} />
    </Form>
  );
}
