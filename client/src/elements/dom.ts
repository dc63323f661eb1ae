// Making elements without a word of HTML, so that a page's policy has nothing to forbid.

export type Child = Node | string | undefined | false;

export const present = (children: Child[]): (Node | string)[] => children.filter((child) => child !== undefined && child !== false);
type Given = Record<string, string | undefined | ((event: Event) => void)>;

/** An element; functions listen to the event that they are named after, what is undefined is left out. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, given: Given, ...children: Child[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "function") made.addEventListener(name, value);
    else if (value !== undefined) made.setAttribute(name, value);
  }
  made.append(...present(children));
  return made;
}

interface Policy { createHTML(html: string): string }
interface WithPolicies { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }
const TAGS = ["P", "BR", "STRONG", "EM", "UL", "OL", "LI", "A"];
let policy: Policy | undefined;

/**
 * The service's sanitised HTML as nodes: parsed where nothing runs, and built anew of the few tags that it may have. A page
 * with Trusted Types has to allow the policy `loyalty`; throws where it does not.
 */
export function sanitised(html: string): Node[] {
  policy ??= (globalThis as WithPolicies).trustedTypes?.createPolicy("loyalty", { createHTML: (given) => given });
  const parsed = new DOMParser().parseFromString(policy?.createHTML(html) ?? html, "text/html");
  return [...parsed.body.childNodes].flatMap(rebuilt);
}

function rebuilt(node: Node): Node[] {
  if (node.nodeType === Node.TEXT_NODE) return [document.createTextNode(node.textContent!)];
  const children = [...node.childNodes].flatMap(rebuilt);
  if (!TAGS.includes(node.nodeName)) return children;
  const href = (node as Element).getAttribute("href") ?? "";
  const link = /^(https:|mailto:)/i.test(href) ? { href, rel: "noopener noreferrer" } : {};
  return [h(node.nodeName.toLowerCase() as "a", link, ...(children as Child[]))];
}
