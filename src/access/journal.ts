import type { Counters } from '../counters.ts';
import { ApiError } from '../errors.ts';
import type { MutationVerb } from '../metric-catalogue.ts';
import { auditEntry, type Audit, type AuditEntry, type AuditScope } from './audit.ts';
import type { Viewer } from './viewer.ts';

/** Writes down what was decided about whom: a line in the audit, a number in the counters. */
export class Journal {
  readonly #audit: Audit;
  readonly #counters: Counters;
  readonly #userOf: (viewer: Viewer, agentId: string) => string | undefined;

  /** `userOf`: who the cluster takes somebody for, as far as that is known already. */
  constructor(audit: Audit, counters: Counters, userOf: (viewer: Viewer, agentId: string) => string | undefined) {
    this.#audit = audit;
    this.#counters = counters;
    this.#userOf = userOf;
  }

  identified(viewer: Viewer, agentId: string): void {
    this.#write(
      viewer,
      { agentId, namespace: undefined },
      { event: 'identify', verb: 'identify', decision: 'allowed' },
    );
  }

  attached(viewer: Viewer, scope: AuditScope, verb: string): void {
    this.#write(viewer, scope, { event: 'attach', verb, decision: 'allowed' });
  }

  /** Somebody was kept from something: by a right they lack, or because it could not be found out. */
  denied(viewer: Viewer, scope: AuditScope, verb: string, error: unknown, name?: string): void {
    const what = reasonOf(error);
    this.#counters.add('denials', { code: what.code ?? 'INTERNAL' });
    this.#write(viewer, scope, { event: 'deny', verb, name, ...what });
  }

  revoked(viewer: Viewer, scope: AuditScope, verb: string, error: ApiError): void {
    this.#counters.add('revocations', { code: error.code });
    this.#write(viewer, scope, { event: 'revoke', verb, ...reasonOf(error), decision: 'denied' });
  }

  /** `error`: why it did not happen. */
  mutated(viewer: Viewer, scope: AuditScope, verb: MutationVerb, name: string | undefined, error?: unknown): void {
    const what = error === undefined ? ({ decision: 'allowed' } as const) : reasonOf(error);
    this.#counters.add('mutations', { verb, decision: what.decision });
    this.#write(viewer, scope, { event: 'mutate', verb, name, ...what });
  }

  #write(
    viewer: Viewer,
    scope: AuditScope,
    what: Pick<AuditEntry, 'event' | 'verb' | 'decision'> & Partial<AuditEntry>,
  ): void {
    this.#audit(auditEntry(viewer, scope, { user: this.#userOf(viewer, scope.agentId), ...what }));
  }
}

/** Those who are not let in were denied; that it could not be found out is another thing. */
function reasonOf(error: unknown): Pick<AuditEntry, 'decision' | 'code' | 'traceId'> {
  if (!(error instanceof ApiError)) return { decision: 'failed', code: undefined, traceId: undefined };
  const { code } = error;
  const isDenial = code === 'FORBIDDEN' || code === 'GITLAB_UNAUTHORIZED' || code === 'UNAUTHENTICATED';
  return { decision: isDenial ? 'denied' : 'failed', code, traceId: error.upstream?.traceId };
}
