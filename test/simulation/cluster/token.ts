import type { Credentials } from '../../../src/sources/credentials.ts';

/** Whom a simulated cluster takes somebody for. */
export function tokenOf(credentials: Credentials): string {
  if (credentials.kind === 'local') return 'local';
  return credentials.kind === 'bearer' ? credentials.token : credentials.cookie;
}
