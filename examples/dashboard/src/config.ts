/** Where to connect, and what to offer for choice. */
export interface PageConfig {
  readonly graphql: string;
  readonly agents: readonly { readonly id: string; readonly name: string }[];
  /** Ready-made credentials; only a demo has any. */
  readonly viewers: readonly { readonly name: string; readonly token: string }[];
  readonly namespace: string;
}

const NOTHING_KNOWN: PageConfig = {
  graphql: new URL('../graphql', location.href).href,
  agents: [],
  viewers: [],
  namespace: '',
};

/** `config.json` beside the page; without one, Kascade is taken to be one level up: …/graphql for …/dashboard/. */
export async function loadConfig(): Promise<PageConfig> {
  const response = await fetch('./config.json').catch(() => undefined);
  const given = response?.ok ? ((await response.json().catch(() => ({}))) as Partial<PageConfig>) : {};
  return { ...NOTHING_KNOWN, ...given };
}
