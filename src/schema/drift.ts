import { ApiError } from '../errors.ts';
import { foreignChanges, type ForeignChange } from '../kubernetes/drift.ts';
import type { Health } from '../kubernetes/health.ts';
import { health } from '../kubernetes/health.ts';
import { inventoryOf, type InventoryEntry } from '../kubernetes/inventory.ts';
import type { JsonRecord } from '../kubernetes/json.ts';
import { isRefusedKind } from '../kubernetes/refused-resources.ts';
import { trim } from '../kubernetes/trim.ts';
import type { ActionTarget } from '../access/actions.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { targetOf } from './flux-actions.ts';
import { FluxObjectRef } from './flux-kinds.ts';
import { agentArgs } from './scope.ts';

/** Objects of an inventory that are looked at. */
const MAX_OBJECTS = 200;
const AT_ONCE = 10;

type DriftKind = 'NONE' | 'MISSING' | 'CHANGED' | 'NOT_READY' | 'UNKNOWN';

interface DriftEntry extends Pick<InventoryEntry, 'namespace' | 'name' | 'group' | 'kind'> {
  readonly drift: DriftKind;
  readonly changes: readonly ForeignChange[];
  readonly message: string | undefined;
}

interface Drift {
  readonly entries: readonly DriftEntry[];
  readonly checked: number;
  readonly total: number;
}

const FluxDriftKind = builder.enumType('FluxDriftKind', {
  description: 'How an object stands to what Flux has applied.',
  values: {
    NONE: { description: 'It is there, as Flux left it, and healthy.' },
    MISSING: { description: 'It is gone.' },
    CHANGED: { description: 'Somebody else has written to it since Flux applied it last.' },
    NOT_READY: { description: 'It is as Flux left it, and not healthy.' },
    UNKNOWN: { description: 'It could not be looked at: `message` says why.' },
  },
});

const FluxForeignChange = builder.objectRef<ForeignChange>('FluxForeignChange').implement({
  description: 'Fields that another than Flux has written since.',
  fields: (t) => ({
    manager: t.exposeString('manager', { description: 'Who, as the cluster knows them, such as `kubectl-edit`.' }),
    at: t.expose('at', { type: 'DateTime', nullable: true, description: 'When last. Null when it is not known.' }),
    fields: t.exposeStringList('fields', { description: 'Which fields, such as `spec.replicas`.' }),
  }),
});

const FluxDriftEntry = builder.objectRef<DriftEntry>('FluxDriftEntry').implement({
  description: 'An object that Flux has applied, compared with what is there.',
  fields: (t) => ({
    namespace: t.exposeString('namespace', { nullable: true, description: 'Null for cluster-scoped objects.' }),
    name: t.exposeString('name', { description: 'Its name.' }),
    group: t.exposeString('group', { description: 'Its API group; empty: core.' }),
    kind: t.exposeString('kind', { description: 'Its kind.' }),
    drift: t.expose('drift', { type: FluxDriftKind, description: 'How it stands.' }),
    changes: t.field({
      type: [FluxForeignChange],
      description: 'What others have written since; [] when nothing.',
      resolve: ({ changes }) => changes,
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'For people. Null when there is nothing to say.',
    }),
  }),
});

const FluxDrift = builder.objectRef<Drift>('FluxDrift').implement({
  description: 'What a Kustomization or HelmRelease has applied, compared with what is there.',
  fields: (t) => ({
    entries: t.field({
      type: [FluxDriftEntry],
      description: 'The objects, those that have drifted first.',
      resolve: ({ entries }) => entries,
    }),
    checked: t.exposeInt('checked', { description: `How many were looked at: at most ${MAX_OBJECTS}.` }),
    total: t.exposeInt('total', { description: 'How many there are.' }),
  }),
});

export function addDrift(): void {
  builder.queryField('fluxDrift', (t) =>
    t.field({
      type: FluxDrift,
      description:
        "Compares what Flux has applied (status.inventory) with what is there: missing, changed by others, not ready. Each object is read once, with the caller's own credentials.",
      args: {
        ...agentArgs,
        target: t.arg({ type: FluxObjectRef, required: true, description: 'A Kustomization or a HelmRelease.' }),
      },
      resolve: async (_root, args, context) => {
        const target = await targetOf(args, context);
        const owner = await context.gate.actions.look(target, (calls) => calls.getWhole(target.key, target.name));
        const { entries, malformed } = inventoryOf(trim({ ...owner }));
        const checked: DriftEntry[] = [];
        const looked = entries.slice(0, MAX_OBJECTS);
        for (let start = 0; start < looked.length; start += AT_ONCE) {
          const some = looked.slice(start, start + AT_ONCE);
          checked.push(...(await Promise.all(some.map((entry) => driftOf(entry, target, context)))));
        }
        return {
          entries: checked.toSorted((a, b) => Number(a.drift === 'NONE') - Number(b.drift === 'NONE')),
          checked: checked.length,
          total: entries.length + malformed.length,
        };
      },
    }),
  );
}

async function driftOf(entry: InventoryEntry, { viewer, key }: ActionTarget, context: Context): Promise<DriftEntry> {
  const { namespace, name, group, kind } = entry;
  const about = { namespace, name, group, kind, changes: [], message: undefined };
  if (isRefusedKind(group, kind)) return { ...about, drift: 'UNKNOWN', message: `Kascade does not read ${kind}s.` };
  try {
    const resource = await context.gate.clusters.ofKind(viewer, key.agentId, group, kind);
    if (resource === undefined) return { ...about, drift: 'MISSING', message: 'The cluster does not serve its kind.' };
    const where = { agentId: key.agentId, namespace: resource.namespaced ? namespace : undefined, resource };
    const target = { viewer, key: where, name };
    const live = await context.gate.actions.look(target, (calls) => calls.getWhole(where, name));
    return { ...about, ...verdict(live) };
  } catch (error) {
    if (error instanceof UpstreamError && error.failure === 'notFound') return { ...about, drift: 'MISSING' };
    if (!(error instanceof ApiError) || error.retryable) throw error;
    return { ...about, drift: 'UNKNOWN', message: error.message };
  }
}

function verdict(live: JsonRecord): Pick<DriftEntry, 'drift' | 'changes' | 'message'> {
  const changes = foreignChanges(live);
  const { level, message }: Health = health(trim({ ...live }));
  if (changes.length > 0) {
    const managers = [...new Set(changes.map(({ manager }) => manager))].join(', ');
    return { drift: 'CHANGED', changes, message: `Changed by ${managers}.` };
  }
  if (level === 'HEALTHY' || level === 'SUSPENDED') return { drift: 'NONE', changes, message: undefined };
  return { drift: 'NOT_READY', changes, message };
}
