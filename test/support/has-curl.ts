import { spawnSync } from 'node:child_process';

/** Says loudly what is skipped when there is none. */
export function hasCurl(what: string): boolean {
  const isThere = spawnSync('curl', ['--version'], { stdio: 'ignore' }).status === 0;
  if (!isThere) console.error(`SKIPPED: ${what}, because there is no curl.`);
  return isThere;
}
