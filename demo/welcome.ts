import { podsDocument } from '../src/schema/first-document.ts';
import type { Kas } from './kas/index.ts';

/** What GraphiQL shows at first, and what the terminal offers to paste. */
export const firstQuery = podsDocument('1', 'shop');

export interface WelcomeParts {
  readonly url: string;
  /** The page of examples/dashboard, when it could be built. */
  readonly dashboard: string | undefined;
  readonly kas: Kas;
  readonly ada: string;
  readonly eve: string;
}

export function welcome({ url, dashboard, kas, ada, eve }: WelcomeParts): string {
  const base = url.replace(/\/$/, '');
  const graphql = base.endsWith('/graphql') ? base : `${base}/graphql`;
  const server = kas.secure?.url ?? kas.url;
  return `
Kascade is running on a stand-in for GitLab's KAS with two living clusters.

  Open      ${dashboard ?? 'no page: it is built from the development dependencies (npm ci)'}
  GraphiQL  ${graphql}
  Agents    1 production: namespaces shop, payments, empty
            2 staging:    namespace shop
  Tokens    ada, sees everything:   ${ada}
            eve, only shop:         ${eve}

Ask, or watch it live (GraphiQL has both, and ada's token already):

${firstQuery
  .trimEnd()
  .split('\n')
  .map((line) => (line === '' ? '' : `  ${line}`))
  .join('\n')}

From a terminal:

  curl -s ${graphql} -H 'Content-Type: application/json' -H 'Authorization: Bearer ${ada}' \\
    -d '{"query":"{ k8sPods(agentId: \\"1\\", namespace: \\"shop\\") { nodes { metadata { name } displayStatus } } }"}'

The same cluster, as kubectl sees it through KAS:

  kubectl --server=${server} --insecure-skip-tls-verify --token=${kas.bearer('ada')} -n shop get pods -w

Stop with Ctrl-C.
`;
}
