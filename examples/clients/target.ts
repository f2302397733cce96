/** Where the examples connect: the demo, unless the environment says otherwise. */
const { env } = process;

export const url = env['KASCADE_URL'] ?? 'http://127.0.0.1:4000/graphql';
export const token = env['KASCADE_TOKEN'] ?? 'glpat-ada-sees-everything';
export const agentId = env['KASCADE_AGENT'] ?? '1';
export const namespace = env['KASCADE_NAMESPACE'] ?? 'shop';

interface Shown {
  readonly metadata: { readonly name: string };
  readonly displayStatus: string;
}

/** One line a state. */
export function show(pods: Iterable<Shown>): void {
  const texts = [...pods].map(({ metadata, displayStatus }) => `${metadata.name}=${displayStatus}`);
  console.log(texts.toSorted().join(' ') || '(no pods)');
}
