import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import type { KubernetesObject } from './object.ts';
import { sent } from './pod.fixture.ts';

/** What lies in test/kubectl beside the files of pod.fixture.ts, see its README. */
interface KubectlFiles {
  readonly 'workloads.json': readonly KubernetesObject[];
  readonly 'workloads.expected.json': readonly ExpectedWorkload[];
  readonly 'events.json': readonly KubernetesObject[];
  readonly 'events.expected.json': readonly Readonly<Record<string, string>>[];
  readonly 'durations.json': readonly number[];
  readonly 'durations.expected.json': readonly string[];
  readonly 'inventory.json': readonly string[];
  readonly 'inventory.expected.json': readonly ExpectedObjectId[];
  readonly 'object-selectors.json': {
    readonly labelSelectors: readonly unknown[];
    readonly serviceSelectors: readonly unknown[];
    readonly labelSets: readonly Readonly<Record<string, string>>[];
  };
  readonly 'object-selectors.expected.json': {
    readonly labelSelectors: readonly { readonly text: string; readonly matches: string }[];
    readonly serviceSelectors: readonly string[];
  };
}

export interface ExpectedWorkload {
  readonly name: string;
  readonly kind: string;
  /** kubectl's, by column name. Ages and running durations are left out. */
  readonly cells?: Readonly<Record<string, string>>;
  /** kstatus: Current, InProgress, Failed, Terminating. */
  readonly status: string;
  /** Of kstatus, '' for Current and Terminating. */
  readonly reason: string;
  /** `kubectl rollout status`: done, waiting, or its error. */
  readonly rollout?: string;
}

export interface ExpectedObjectId {
  readonly namespace: string;
  readonly name: string;
  readonly group: string;
  readonly kind: string;
  readonly error?: string;
}

export function readKubectl<File extends keyof KubectlFiles>(file: File): KubectlFiles[File] {
  const content: KubectlFiles[File] = JSON.parse(
    readFileSync(new URL(`../../test/kubectl/${file}`, import.meta.url), 'utf8'),
  );
  return content;
}

/** The workloads of test/kubectl with what Kubernetes' own code says of them. */
export const KUBECTL_WORKLOADS: readonly { workload: KubernetesObject; expected: ExpectedWorkload }[] = pairs();

function pairs(): { workload: KubernetesObject; expected: ExpectedWorkload }[] {
  const expected = readKubectl('workloads.expected.json');
  return readKubectl('workloads.json').map((workload, index) => {
    const row = expected[index];
    if (row?.name !== workload.metadata.name) throw new Error(`workloads.expected.json is not that of workloads.json`);
    return { workload, expected: row };
  });
}

/** One of the workloads of test/kubectl/workloads.json. */
export function kubectlWorkload(name: string): KubernetesObject {
  const found = KUBECTL_WORKLOADS.find(({ expected }) => expected.name === name);
  if (found === undefined) throw new Error(`test/kubectl/workloads.json has no ${name}`);
  return found.workload;
}

/** An object for a test, with what the test is about. */
export function objectOf(apiVersion: string, kind: string, fields: object = {}, metadata: object = {}) {
  return sent({
    apiVersion,
    kind,
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 'u-1',
      resourceVersion: '1',
      creationTimestamp: '2026-01-05T10:00:00Z',
      ...metadata,
    },
    ...fields,
  });
}

/** Names that lead somewhere in one of the kinds, and traps. */
const FIELDS = `
  spec status template containers conditions type reason message name namespace replicas readyReplicas
  updatedReplicas availableReplicas updateStrategy rollingUpdate paused partition desiredNumberScheduled
  observedGeneration completions parallelism startTime active selector matchLabels matchExpressions key
  operator values jobTemplate sourceRef chart chartRef dependsOn history inventory entries id v kind
  helmChart suspend artifact series count lastObservedTime involvedObject source component controller uid
  __proto__
`
  .trim()
  .split(/\s+/);
const WORDS = ['True', 'False', 'Unknown', 'Ready', 'Stalled', 'Reconciling', 'Progressing', 'Complete', 'Suspended'];
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(null, '', -1, 0, 3, 1e300, 0.5, true, false, 'a_b_c_D', 'In', '2026-01-05T10:00:00Z'),
    fc.constantFrom<unknown>(...WORDS),
    fc.jsonValue({ maxDepth: 1 }),
    fc.array(tie('any'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...FIELDS), tie('any'), { maxKeys: 8 }),
  ),
})).any;
const fields = fc.dictionary(fc.constantFrom(...FIELDS), value, { maxKeys: 10 });

/** An object of this kind with junk in all of its fields, under names that mean something. */
export function arbitraryObject(apiVersion: string, kind: string): fc.Arbitrary<KubernetesObject> {
  return fc
    .record({ spec: fc.oneof(fields, value), status: fc.oneof(fields, value), rest: fields, metadata: fields })
    .map(({ spec, status, rest, metadata }) =>
      objectOf(
        apiVersion,
        kind,
        { ...rest, apiVersion, kind, spec, status },
        { ...metadata, name: 'web', namespace: 'default' },
      ),
    );
}

/** The same with metadata that is wrong in its optional fields, too. */
export function arbitraryOwned(): fc.Arbitrary<KubernetesObject> {
  return value.map((ownerReferences) => objectOf('v1', 'Pod', {}, { ownerReferences }));
}
