import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { RealApiServer } from '../../apiserver/real-apiserver.ts';
import { pause } from '../../support/eventually.ts';

const FOLDER = fileURLToPath(new URL('../../apiserver/flux/', import.meta.url));
const PATH = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

interface Definition {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** Adds Flux' kinds to a cluster; resolves when they are served. */
export async function defineFlux(server: RealApiServer): Promise<void> {
  const files = globSync('*.json', { cwd: FOLDER });
  const definitions = files.map((file) => JSON.parse(readFileSync(FOLDER + file, 'utf8')) as Definition);
  for (const body of definitions) await server.call({ method: 'POST', path: PATH, body });
  for (const { metadata } of definitions) while (!(await isServed(server, metadata.name))) await pause(20);
}

async function isServed(server: RealApiServer, name: string): Promise<boolean> {
  const { status } = (await server.call({ path: `${PATH}/${name}` })) as Definition;
  return (
    status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True') ?? false
  );
}
