import { expect, it } from 'vitest';
import { watchError } from './watch-error.ts';

it("takes no 401 of a watch for GitLab's, since a cluster may write what KAS would", () => {
  const status = { kind: 'Status', code: 401, reason: 'Unauthorized', message: 'GitLab Agent Server: Unauthorized' };
  expect(watchError(status, 'watch pods', 0)).toMatchObject({ failure: 'unauthorized', code: 'UNAUTHENTICATED' });
});
