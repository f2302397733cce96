import { isObject, text, valueAt, type JsonObject } from '../apiserver/json.ts';
import type { ApiObject } from '../apiserver/object.ts';
import { condition, keepTransitions } from './owners.ts';
import { Workqueue } from './workqueue.ts';
import type { World } from './world.ts';

const REQUESTED_AT = 'reconcile.fluxcd.io/requestedAt';
const SOURCES = ['gitrepositories', 'ocirepositories', 'helmrepositories', 'helmcharts'];
const APPLIERS = ['kustomizations', 'helmreleases'];

/** Flux's controllers: they reconcile on a timer, and at once when somebody asks for it by annotation. */
export function runFlux(world: World): void {
  for (const resource of [...SOURCES, ...APPLIERS]) runController(world, resource);
}

function runController(world: World, resource: string): void {
  const { store, pace, dice } = world;
  const queue = new Workqueue(pace, 400, (namespace, name) => begin(world, resource, namespace, name));
  store.subscribe(resource, ({ type, object, previous }) => {
    const { namespace = '', name, deletionTimestamp } = object.metadata;
    if (deletionTimestamp !== undefined && type === 'MODIFIED') {
      // The controller lets go of what it applied, and then of its finalizer.
      pace.after(800, () => release(world, resource, object));
      return;
    }
    const changedSpec = previous?.metadata.generation !== object.metadata.generation;
    if (type === 'ADDED' || (type === 'MODIFIED' && (changedSpec || isAsked(object)))) queue.add(namespace, name);
  });
  pace.every(
    () => dice.between(20_000, 40_000),
    () => {
      const object = dice.pick(store.list(resource));
      if (object) queue.add(object.metadata.namespace ?? '', object.metadata.name);
    },
  );
}

function isAsked(object: ApiObject): boolean {
  const asked = object.metadata.annotations?.[REQUESTED_AT];
  return asked !== undefined && asked !== object.status?.['lastHandledReconcileAt'];
}

function release({ store }: World, resource: string, object: ApiObject): void {
  const { namespace = '', name, uid } = object.metadata;
  if (store.get(resource, namespace, name)?.metadata.uid !== uid) return;
  store.patch(resource, namespace, name, { metadata: { finalizers: null } });
}

/** Reconciling: `Ready` is Unknown while it lasts. A suspended object is left alone. */
function begin(world: World, resource: string, namespace: string, name: string): void {
  const { store, pace, dice } = world;
  const object = store.get(resource, namespace, name);
  if (!object || object.spec?.['suspend'] === true || object.metadata.deletionTimestamp !== undefined) return;
  const now = store.timestamp();
  const message = SOURCES.includes(resource) ? 'building artifact' : 'Reconciliation in progress';
  setStatus(world, resource, object, {
    conditions: keepTransitions(object.status?.['conditions'], [
      condition('Reconciling', true, 'Progressing', message, now),
      condition('Ready', undefined, 'Progressing', message, now),
    ]),
  });
  pace.after(dice.between(1_000, 2_500), () => finish(world, resource, namespace, name));
}

function finish(world: World, resource: string, namespace: string, name: string): void {
  const { store, events } = world;
  const object = store.get(resource, namespace, name);
  if (!object || object.metadata.deletionTimestamp !== undefined) return;
  const handled = object.metadata.annotations?.[REQUESTED_AT];
  const common = {
    observedGeneration: object.metadata.generation ?? 1,
    ...(handled === undefined ? {} : { lastHandledReconcileAt: handled }),
  };
  if (object.spec?.['path'] === './does-not-exist') {
    const message =
      'kustomization path not found: stat /tmp/kustomization-4711/does-not-exist: no such file or directory';
    setStatus(world, resource, object, { ...common, conditions: failed(object, store.timestamp(), message) });
    events.warning(object, 'ArtifactFailed', message, 'kustomize-controller');
    return;
  }
  const revision = SOURCES.includes(resource) ? newRevision(world, object) : appliedRevision(world, object);
  const result = SOURCES.includes(resource) ? artifact(world, object, revision) : applied(object, revision);
  const message = SOURCES.includes(resource)
    ? `stored artifact for revision '${revision}'`
    : `Applied revision: ${revision}`;
  const reason =
    resource === 'helmreleases'
      ? 'UpgradeSucceeded'
      : SOURCES.includes(resource)
        ? 'Succeeded'
        : 'ReconciliationSucceeded';
  const ready = [condition('Ready', true, reason, message, store.timestamp())];
  setStatus(world, resource, object, {
    ...common,
    ...result,
    conditions: keepTransitions(object.status?.['conditions'], ready),
  });
  events.normal(object, reason, message, SOURCES.includes(resource) ? 'source-controller' : 'kustomize-controller');
}

/** Stalled comes together with Ready=False. */
function failed(object: ApiObject, now: string, message: string): JsonObject[] {
  return keepTransitions(object.status?.['conditions'], [
    condition('Stalled', true, 'ArtifactFailed', message, now),
    condition('Ready', false, 'ArtifactFailed', message, now),
  ]);
}

/** Now and then there is a new commit. */
function newRevision({ dice }: World, source: ApiObject): string {
  const known = valueAt(source.status, 'artifact', 'revision');
  if (typeof known === 'string' && !dice.chance(0.3)) return known;
  if (source.kind === 'HelmChart') return `1.${dice.between(2, 9)}.${dice.between(0, 20)}`;
  return source.kind === 'GitRepository' ? `main@sha1:${dice.hex(40)}` : `sha256:${dice.hex(64)}`;
}

function artifact({ store }: World, source: ApiObject, revision: string): JsonObject {
  const { namespace = '', name } = source.metadata;
  const path = `${source.kind.toLowerCase()}/${namespace}/${name}/${revision.slice(-8)}.tar.gz`;
  return { artifact: { revision, path, lastUpdateTime: store.timestamp(), size: 20_480 } };
}

function appliedRevision({ store }: World, object: ApiObject): string {
  const namespace = object.metadata.namespace ?? '';
  const reference = object.spec?.['sourceRef'];
  const source = isObject(reference)
    ? store.get('gitrepositories', namespace, text(reference['name']))
    : store.get('helmcharts', namespace, `${namespace}-${object.metadata.name}`);
  const revision = valueAt(source?.status, 'artifact', 'revision');
  return typeof revision === 'string' ? revision : '1.2.0';
}

function applied(object: ApiObject, revision: string): JsonObject {
  const attempted = { lastAppliedRevision: revision, lastAttemptedRevision: revision };
  if (object.kind !== 'HelmRelease') return attempted;
  const { name, namespace = '' } = object.metadata;
  const version = Number(valueAt(object.status, 'history', 0, 'version') ?? 0);
  const snapshot = {
    name,
    namespace,
    version: version + 1,
    chartName: name,
    chartVersion: revision,
    status: 'deployed',
  };
  return { lastAttemptedRevision: revision, history: [snapshot] };
}

function setStatus({ store }: World, resource: string, object: ApiObject, status: JsonObject): void {
  store.patch(resource, object.metadata.namespace ?? '', object.metadata.name, { status });
}
