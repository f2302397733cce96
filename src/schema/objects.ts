import type { Health } from '../kubernetes/health.ts';
import { humanDuration } from '../kubernetes/human-duration.ts';
import type { KubernetesObject, ObjectMeta, OwnerReference } from '../kubernetes/object.ts';
import type { Resource } from '../kubernetes/resources.ts';
import { builder } from './builder.ts';
import { healthOf } from './derived.ts';
import { YamlWriter } from './yaml.ts';

const NOTHING: Readonly<Record<string, never>> = Object.freeze({});
const NOBODY: readonly OwnerReference[] = Object.freeze([]);
/** Aggregated APIs may leave the creation time null; one such object must not fail a whole list. */
const UNKNOWN_TIME = '1970-01-01T00:00:00Z';

export const K8sHealthLevel = builder.enumType('K8sHealthLevel', {
  description: 'How an object is, in one word, whatever its kind.',
  values: {
    HEALTHY: { description: 'It does what its spec asks for.' },
    PROGRESSING: { description: 'It is on its way there, and within its time.' },
    DEGRADED: { description: 'It failed, or it does not get there.' },
    SUSPENDED: { description: 'It was paused on purpose.' },
    UNKNOWN: { description: 'Its status does not tell.' },
  },
});

export const K8sHealth = builder.objectRef<Health>('K8sHealth').implement({
  description: "An object's health, derived from its status and conditions.",
  fields: (t) => ({
    level: t.expose('level', { type: K8sHealthLevel, description: 'The health in one word.' }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: "A short machine-readable reason, such as a condition's. Null when there is none.",
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'A sentence for people. Null when there is none.',
    }),
  }),
});

const K8sOwnerReference = builder.objectRef<OwnerReference>('K8sOwnerReference').implement({
  description:
    'An object that this one belongs to (metadata.ownerReferences), in the same namespace or cluster-scoped.',
  fields: (t) => ({
    apiVersion: t.exposeString('apiVersion', { description: "The owner's group and version, such as `apps/v1`." }),
    kind: t.exposeString('kind', { description: "The owner's kind, such as `ReplicaSet`." }),
    name: t.exposeString('name', { description: "The owner's name." }),
    uid: t.exposeID('uid', { description: "The owner's metadata.uid." }),
    controller: t.boolean({
      description: 'True for the one owner that manages this object.',
      resolve: (owner) => owner.controller === true,
    }),
  }),
});

const K8sObjectMeta = builder.objectRef<ObjectMeta>('K8sObjectMeta').implement({
  description: "An object's metadata, without managedFields.",
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name, unique among its kind and namespace at one time.' }),
    namespace: t.exposeString('namespace', { nullable: true, description: 'Null for cluster-scoped objects.' }),
    uid: t.exposeID('uid', { description: 'Unique over time: an object recreated under its name has a new one.' }),
    resourceVersion: t.exposeString('resourceVersion', { description: 'The version of this state. Opaque.' }),
    generation: t.exposeInt('generation', {
      nullable: true,
      description: 'Counts changes of the spec. Null for kinds that do not count.',
    }),
    age: t.string({
      description:
        'How long it has existed, as kubectl prints it: "45s", "7h30m", "2d3h". As of this answer; it does not tick in a subscription, so pages that stay count from creationTimestamp.',
      resolve: (meta) => humanDuration(Date.now() - Date.parse(meta.creationTimestamp ?? UNKNOWN_TIME)),
    }),
    creationTimestamp: t.field({
      type: 'DateTime',
      description: 'When it was created; 1970-01-01T00:00:00Z when the cluster does not say.',
      resolve: (meta) => meta.creationTimestamp ?? UNKNOWN_TIME,
    }),
    deletionTimestamp: t.expose('deletionTimestamp', {
      type: 'DateTime',
      nullable: true,
      description: 'When its time to end gracefully is over. Null unless its deletion was asked for.',
    }),
    labels: t.field({
      type: 'JSON',
      description: 'Labels as an object of strings; {} when there are none.',
      resolve: (meta) => meta.labels ?? NOTHING,
    }),
    annotations: t.field({
      type: 'JSON',
      description:
        'Annotations as an object of strings, without kubectl.kubernetes.io/last-applied-configuration; {} when there are none.',
      resolve: (meta) => meta.annotations ?? NOTHING,
    }),
    ownerReferences: t.field({
      type: [K8sOwnerReference],
      description: 'What it belongs to; [] when it stands alone.',
      resolve: (meta) => meta.ownerReferences ?? NOBODY,
    }),
  }),
});

const K8sYamlPart = builder.enumType('K8sYamlPart', {
  description: 'What of an object to write as YAML.',
  values: {
    ALL: { description: 'The whole object.' },
    METADATA: { description: 'What is in `metadata`.' },
    SPEC: { description: 'What is in `spec`.' },
    STATUS: { description: 'What is in `status`.' },
  } as const,
});

const yamlWriter = new YamlWriter();

function partOf(object: KubernetesObject, part: typeof K8sYamlPart.$inferType | null | undefined): unknown {
  if (part === 'METADATA') return object.metadata;
  if (part === 'SPEC') return object.spec ?? NOTHING;
  if (part === 'STATUS') return object.status ?? NOTHING;
  const { apiVersion, kind, metadata, ...more } = object;
  return { apiVersion, kind, metadata, ...more };
}

const typeNames = new Map<string, string>();

/** Makes `K8sObject` resolve objects of this resource's kind, in any version, to the GraphQL type of that name. */
export function registerKind(resource: Resource, typeName: string): void {
  typeNames.set(`${resource.group}/${resource.kind}`, typeName);
}

/** What an object of any kind without a type of its own is shown as. */
export const ANY_KIND = 'K8sGenericObject';

function typeNameOf(object: KubernetesObject): string {
  const slash = object.apiVersion.indexOf('/');
  const group = slash < 0 ? '' : object.apiVersion.slice(0, slash);
  return typeNames.get(`${group}/${object.kind}`) ?? ANY_KIND;
}

export const K8sObject = builder.interfaceRef<KubernetesObject>('K8sObject').implement({
  description: 'What every object of a cluster has. Objects are never changed: an update brings a new one.',
  resolveType: typeNameOf,
  fields: (t) => ({
    id: t.id({ description: 'metadata.uid.', resolve: (object) => object.metadata.uid }),
    apiVersion: t.string({
      description: 'Group and version, such as `apps/v1`; `v1` is core.',
      resolve: (object) => object.apiVersion,
    }),
    kind: t.string({ description: 'The kind, such as `Pod`.', resolve: (object) => object.kind }),
    metadata: t.field({
      type: K8sObjectMeta,
      description: 'Name, labels and what else Kubernetes keeps of every object.',
      resolve: (object) => object.metadata,
    }),
    spec: t.field({
      type: 'JSON',
      description: 'What was asked for, as Kubernetes has it; {} when absent.',
      resolve: (object) => object.spec ?? NOTHING,
    }),
    status: t.field({
      type: 'JSON',
      description: 'What was last observed, as Kubernetes has it; {} when absent.',
      resolve: (object) => object.status ?? NOTHING,
    }),
    yaml: t.string({
      description:
        'The same for people: the object or a part of it as YAML, without managedFields and kubectl.kubernetes.io/last-applied-configuration. Very large objects are written as JSON, which is YAML too.',
      args: {
        part: t.arg({ type: K8sYamlPart, defaultValue: 'ALL', description: 'What of it. {} when that is absent.' }),
      },
      resolve: (object, { part }) => yamlWriter.write(partOf(object, part)),
    }),
    health: t.field({ type: K8sHealth, description: 'Its health, derived from the above.', resolve: healthOf }),
  }),
});
