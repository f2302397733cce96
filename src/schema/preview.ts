import { ApiError, type ErrorCode } from '../errors.ts';
import { optionalText, record, text, type JsonRecord } from '../kubernetes/json.ts';
import { manifestDiff, type Difference } from '../kubernetes/manifest-diff.ts';
import { checkNamespace, parseApiVersion } from '../kubernetes/names.ts';
import type { ActionTarget } from '../access/actions.ts';
import { UpstreamError } from '../sources/upstream-error.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { MAX_CHARACTERS, MAX_MANIFESTS, readManifests } from './manifests.ts';
import { agentArgs } from './scope.ts';

const MAX_DIFFERENCES = 500;
/** Previews that run at once. */
const AT_ONCE = 5;

const NOT_LET_THROUGH: ReadonlySet<ErrorCode> = new Set(['UNAUTHENTICATED', 'GITLAB_UNAUTHORIZED']);

type Outcome = 'CREATE' | 'UPDATE' | 'UNCHANGED' | 'ERROR';

interface Preview {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly outcome: Outcome;
  readonly changes: readonly Difference[];
  readonly error: string | undefined;
}

const K8sPreviewOutcome = builder.enumType('K8sPreviewOutcome', {
  description: 'What applying a manifest would do.',
  values: {
    CREATE: { description: 'There is no such object yet.' },
    UPDATE: { description: 'The object would change.' },
    UNCHANGED: { description: 'Nothing would change.' },
    ERROR: { description: 'The cluster would refuse it: `error` says why.' },
  },
});

const K8sManifestChange = builder.objectRef<Difference>('K8sManifestChange').implement({
  description: 'One place at which an object would change.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'Where, as a JSON pointer (RFC 6901).' }),
    before: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What is there now. Null when nothing is.',
      resolve: ({ before }) => before ?? null,
    }),
    after: t.field({
      type: 'JSON',
      nullable: true,
      description: 'What would be there. Null when nothing would be.',
      resolve: ({ after }) => after ?? null,
    }),
  }),
});

const K8sManifestPreview = builder.objectRef<Preview>('K8sManifestPreview').implement({
  description: 'What applying one manifest would do, as the cluster itself says.',
  fields: (t) => ({
    apiVersion: t.exposeString('apiVersion', { description: "The manifest's group and version." }),
    kind: t.exposeString('kind', { description: "The manifest's kind." }),
    namespace: t.exposeString('namespace', { nullable: true, description: 'Null for cluster-scoped objects.' }),
    name: t.exposeString('name', { description: "The object's name." }),
    outcome: t.expose('outcome', { type: K8sPreviewOutcome, description: 'What would happen.' }),
    changes: t.field({
      type: [K8sManifestChange],
      description: `Where it would change, without status and bookkeeping, at most ${MAX_DIFFERENCES}; defaults and admission are part of it.`,
      resolve: ({ changes }) => changes,
    }),
    error: t.exposeString('error', { nullable: true, description: 'Why it would be refused. Null otherwise.' }),
  }),
});

export function addPreview(): void {
  builder.queryField('previewManifests', (t) =>
    t.field({
      type: [K8sManifestPreview],
      description: `What applying manifests would change: a server-side apply with dryRun=All of each, with the caller's own credentials and rights. Nothing is persisted. Secrets and ConfigMaps are refused.`,
      args: {
        ...agentArgs,
        namespace: t.arg.string({ description: 'For objects that name none. Omitted or null: `default`.' }),
        manifests: t.arg.stringList({
          required: true,
          description: `Kubernetes objects as YAML or JSON; a text of YAML may hold several documents. At most ${MAX_MANIFESTS} objects and ${MAX_CHARACTERS} characters together, with aliases unfolded.`,
        }),
      },
      resolve: async (_root, args, context) => {
        const { agentId } = args;
        const namespace = args.namespace == null ? 'default' : checkNamespace(args.namespace);
        const manifests = await readManifests(args.manifests);
        const previews: Preview[] = [];
        for (let start = 0; start < manifests.length; start += AT_ONCE) {
          const some = manifests.slice(start, start + AT_ONCE);
          previews.push(...(await Promise.all(some.map((each) => preview(each, { agentId, namespace }, context)))));
        }
        return previews;
      },
    }),
  );
}

async function preview(
  manifest: JsonRecord,
  scope: { readonly agentId: string; readonly namespace: string },
  context: Context,
): Promise<Preview> {
  const kind = text(manifest['kind']);
  const apiVersion = text(manifest['apiVersion']);
  const metadata = record(manifest['metadata']);
  const name = text(metadata['name']);
  const namespace = optionalText(metadata['namespace']) ?? scope.namespace;
  const about = { apiVersion, kind, name };
  const viewer = context.viewer();
  const { group, version } = parseApiVersion(apiVersion);
  try {
    const known = await context.gate.clusters.ofKind(viewer, scope.agentId, group, kind);
    if (known === undefined) throw new ApiError('NOT_FOUND', `The cluster serves no ${kind} in ${apiVersion}.`);
    const resource = { ...known, version };
    const where = resource.namespaced ? namespace : undefined;
    const target: ActionTarget = { viewer, key: { agentId: scope.agentId, namespace: where, resource }, name };
    const { managedFields: _, ...own } = metadata;
    const whole = { ...manifest, metadata: resource.namespaced ? { ...own, namespace } : own };
    return { ...about, namespace: where, ...(await dryRun(target, whole, context)) };
  } catch (error) {
    // What says nothing about the manifest is no outcome of it.
    if (!(error instanceof ApiError) || error.retryable || NOT_LET_THROUGH.has(error.code)) throw error;
    return { ...about, namespace, outcome: 'ERROR', changes: [], error: error.message };
  }
}

async function dryRun(
  target: ActionTarget,
  manifest: JsonRecord,
  context: Context,
): Promise<Pick<Preview, 'outcome' | 'changes' | 'error'>> {
  const { key, name } = target;
  const { actions } = context.gate;
  const before = await existing(target, context);
  try {
    const after = await actions.look(target, (calls) =>
      actions.needing(target, 'patch', calls.applyDryRun(key, name, manifest)),
    );
    const changes = manifestDiff(before, after, MAX_DIFFERENCES);
    if (before === undefined) return { outcome: 'CREATE', changes, error: undefined };
    return { outcome: changes.length === 0 ? 'UNCHANGED' : 'UPDATE', changes, error: undefined };
  } catch (error) {
    const isRefused = error instanceof UpstreamError && ['invalid', 'notFound', 'conflict'].includes(error.failure);
    if (!isRefused) throw error;
    return { outcome: 'ERROR', changes: [], error: error.message };
  }
}

async function existing(target: ActionTarget, context: Context): Promise<JsonRecord | undefined> {
  try {
    return await context.gate.actions.look(target, (calls) => calls.getWhole(target.key, target.name));
  } catch (error) {
    if (error instanceof UpstreamError && error.failure === 'notFound') return undefined;
    throw error;
  }
}
